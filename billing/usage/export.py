"""A period's events as a file: streamed as PostgreSQL writes it, however many there are (U5).

Names and order of the columns are those of GET /v1/usage/events; times are RFC 3339 in UTC, amounts have nine decimals.
A JSON line has numbers that count as numbers and exact decimals as strings. CSV follows RFC 4180, and is opened in
spreadsheets: a text of the customer's own that would begin a formula there has an apostrophe before it.
"""

from collections.abc import Iterable, Iterator
from typing import Literal
from uuid import UUID

from django.db import connection
from psycopg import sql
from psycopg.abc import Buffer

from billing.core.ids import encode_id
from billing.core.periods import Period

Format = Literal["csv", "jsonl"]
CONTENT_TYPES: dict[Format, str] = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
_CHUNK = 64 * 1024  # bytes

_TIME = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
_ID = "'{}_' || encode(uuid_send(e.{}), 'hex')"
_COLUMNS = {
    "id": _ID.format("evt", "id"),
    "idempotency_key": "e.idempotency_key",
    "workspace": "COALESCE(w.slug, '')",
    "product": "e.product",
    "unit": "e.unit",
    "provider": "e.provider",
    "model": "e.model",
    "credential_source": "e.credential_source",
    "credential": _ID.format("cred", "credential_id"),
    "credential_reason": "e.credential_reason",
    "quantity": "trim_scale(e.quantity)::text",
    "input_tokens": "e.input_tokens",
    "output_tokens": "e.output_tokens",
    "cached_input_tokens": "e.cached_input_tokens",
    "cost": "e.cost::text",
    "currency": "e.currency",
    "funding": "e.funding",
    "office": "e.office",
    "agent": "e.agent",
    "session": "e.session",
    "user": "e.end_user",
    "outcome": "e.outcome",
    "occurred_at": _TIME.format("e.occurred_at"),
    "recorded_at": _TIME.format("e.recorded_at"),
    "period_start": _TIME.format("e.period_start"),
    "reverses": _ID.format("evt", "reverses_id"),
}
_FREE_TEXT = ("idempotency_key", "provider", "model", "office", "agent", "session", "user", "outcome")
_HARMLESS = r"CASE WHEN {0} ~ '^[=+\-@\t\r\n]' THEN '''' || {0} ELSE {0} END"
_EVENTS = """
    SELECT {columns} FROM billing_usage_usageevent AS e LEFT JOIN tenants_workspace AS w ON w.id = e.workspace_id
     WHERE e.account_id = {{account}} AND e.period_start = {{start}}
       AND ({{workspace}}::uuid IS NULL OR e.workspace_id = {{workspace}}::uuid)
     ORDER BY e.id
"""
_CSV = ", ".join(
    f'{_HARMLESS.format(value) if name in _FREE_TEXT else value} AS "{name}"' for name, value in _COLUMNS.items()
)
_JSON = ", ".join(f'{value} AS "{name}"' for name, value in _COLUMNS.items())
# JSON has no control characters as they are: with these for delimiter and quote, CSV leaves a line as it is.
_STATEMENTS: dict[Format, str] = {
    "csv": f"COPY ({_EVENTS.format(columns=_CSV)}) TO STDOUT (FORMAT csv, HEADER)",
    "jsonl": f"""
        COPY (SELECT row_to_json(line) FROM ({_EVENTS.format(columns=_JSON)}) AS line)
        TO STDOUT (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')
    """,
}
_LINE_ENDS: dict[Format, bytes] = {"csv": b"\r\n", "jsonl": b"\n"}


def export_events(
    *, account_id: UUID, period: Period, workspace_id: UUID | None = None, file_format: Format
) -> Iterator[bytes]:
    """The events of an account's period, in the order of their recording, as the bytes of a file.

    Nothing is read before the first bytes are asked for, and one statement reads it all: what is recorded meanwhile is
    not in it. It runs on the connection of the thread that iterates, which is free again when the iterator ends or is
    closed.
    """
    with connection.cursor() as cursor:
        statement = sql.SQL(_STATEMENTS[file_format]).format(
            account=sql.Literal(account_id), start=sql.Literal(period.start), workspace=sql.Literal(workspace_id)
        )
        with cursor.copy(statement.as_string(connection.connection)) as rows:
            yield from _in_chunks(rows, _LINE_ENDS[file_format])


def _in_chunks(rows: Iterable[Buffer], line_end: bytes) -> Iterator[bytes]:
    """Rows as PostgreSQL sends them, each with a line feed at its end, put together to pieces worth sending."""
    chunk: list[bytes] = []
    size = 0
    for row in rows:
        line = bytes(row)[:-1]
        chunk.append(line)
        size += len(line)
        if size >= _CHUNK:
            yield line_end.join(chunk) + line_end
            chunk.clear()
            size = 0
    if chunk:
        yield line_end.join(chunk) + line_end


def export_name(*, account_id: UUID, period: Period, file_format: Format) -> str:
    """What the file is called: account, first day of the period, format."""
    return f"usage-{encode_id('acc', account_id)}-{period.start:%Y-%m-%d}.{file_format}"
