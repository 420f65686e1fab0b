"""The session ledger: what each session used in a period, and of which models (U5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from billing.core.periods import Period
from billing.usage.models.rollup import PLACE_SUMS, SUMS
from billing.usage.queries import METER, WAITING_EVENTS, WHERE, MeterReading, meter_reading

_ID = "md5(workspace_id::text || session)::uuid"
_LINE = ", ".join(["workspace_id", "session", "office", "agent", "first_at", "last_at", *PLACE_SUMS])
_BEFORE = f"(%(at)s::timestamptz IS NULL OR (last_at <= %(at)s AND (last_at, {_ID}) < (%(at)s, %(id)s::uuid)))"
# Sessions of which nothing waits come from the index in their order, no more of them than the page has. The others are
# put together from what waits and their own row of the rollup.
_LINES = f"""
    WITH waiting AS MATERIALIZED (
        SELECT workspace_id, session, max(office) AS office, max(agent) AS agent, min(occurred_at) AS first_at,
               max(occurred_at) AS last_at, {", ".join(f"sum({name}) AS {name}" for name in PLACE_SUMS)}
          FROM ({WAITING_EVENTS}) AS events WHERE session <> '' GROUP BY workspace_id, session
    ), at_rest AS (
        SELECT {_LINE} FROM billing_usage_sessionrollup AS r
         WHERE {WHERE} AND {_BEFORE}
           AND NOT EXISTS (SELECT FROM waiting AS w WHERE w.workspace_id = r.workspace_id AND w.session = r.session)
         ORDER BY last_at DESC, {_ID} DESC LIMIT %(limit)s
    ), moving AS (
        SELECT w.workspace_id, w.session, GREATEST(w.office, r.office) AS office, GREATEST(w.agent, r.agent) AS agent,
               LEAST(w.first_at, r.first_at) AS first_at, GREATEST(w.last_at, r.last_at) AS last_at,
               {", ".join(f"w.{name} + COALESCE(r.{name}, 0) AS {name}" for name in PLACE_SUMS)}
          FROM waiting AS w LEFT JOIN billing_usage_sessionrollup AS r
            ON r.account_id = %(account)s AND r.period_start = %(start)s
               AND r.workspace_id = w.workspace_id AND r.session = w.session
    )
    SELECT {_ID} AS id, {_LINE} FROM (
        SELECT {_LINE} FROM at_rest UNION ALL SELECT {_LINE} FROM moving WHERE {_BEFORE}
    ) AS lines ORDER BY last_at DESC, id DESC LIMIT %(limit)s
"""
# Each session's events are found by the index on sessions; what a page costs grows with its own sessions' events.
_BREAKDOWN = f"""
    SELECT session, {", ".join(METER)}, {", ".join(f"sum({name})" for name in SUMS)} FROM (
        SELECT session, {", ".join([*METER, *SUMS[1:]])},
               CASE WHEN product <> 'llm' THEN 0 WHEN reverses_id IS NULL THEN 1 ELSE -1 END AS requests
          FROM billing_usage_usageevent
         WHERE {WHERE} AND session = ANY (%(sessions)s) AND session <> ''
    ) AS events GROUP BY session, {", ".join(METER)} ORDER BY session, {", ".join(METER)}
"""


class Position(NamedTuple):
    """A place in the ledger: just after the line with this time and id."""

    last_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class SessionLine:
    """What a session used in a period, all products together, and when it was first and last heard of in it.

    The id is the same for a session of a workspace in every period; `own_key_cost` is the part of `cost` that is not
    billed (U7). Where agents or offices of several names took part, the last of them in the alphabet stands for all.
    """

    id: UUID
    workspace_id: UUID
    session: str
    office: str
    agent: str
    first_at: datetime
    last_at: datetime
    requests: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost: Decimal
    own_key_cost: Decimal

    @property
    def position(self) -> Position:
        return Position(self.last_at, self.id)


def session_lines(
    *, account_id: UUID, period: Period, workspace_id: UUID | None = None, limit: int, before: Position | None = None
) -> list[SessionLine]:
    """A page of the period's sessions, the latest first, in one query; exact at once like all readings (U4)."""
    at, after_id = before or (None, None)
    values = _values(account_id, period, workspace_id) | {"at": at, "id": after_id, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_LINES, values)
        return [_line(row) for row in cursor.fetchall()]


def _line(row: tuple[Any, ...]) -> SessionLine:
    line_id, workspace_id, session, office, agent, first_at, last_at, requests, fresh, output, cached, cost, own = row
    return SessionLine(
        id=line_id,
        workspace_id=workspace_id,
        session=session,
        office=office,
        agent=agent,
        first_at=first_at,
        last_at=last_at,
        requests=int(requests),
        input_tokens=int(fresh),
        output_tokens=int(output),
        cached_input_tokens=int(cached),
        cost=cost,
        own_key_cost=own,
    )


def breakdown_of(*, account_id: UUID, period: Period, workspace_id: UUID, session: str) -> list[MeterReading]:
    """What one session used of each product and model in the period, read from its events."""
    breakdowns = _breakdowns(account_id, period, workspace_id, [session])
    return breakdowns.get((workspace_id, session), [])


def breakdowns_of(
    *, account_id: UUID, period: Period, lines: Sequence[SessionLine]
) -> dict[tuple[UUID, str], list[MeterReading]]:
    """The breakdowns of a page's sessions by workspace and name, in one query."""
    if not lines:
        return {}
    return _breakdowns(account_id, period, None, [line.session for line in lines])


def _breakdowns(
    account_id: UUID, period: Period, workspace_id: UUID | None, sessions: list[str]
) -> dict[tuple[UUID, str], list[MeterReading]]:
    with connection.cursor() as cursor:
        cursor.execute(_BREAKDOWN, _values(account_id, period, workspace_id) | {"sessions": sessions})
        rows = cursor.fetchall()
    return {
        key: [meter_reading(row[1:]) for row in group] for key, group in groupby(rows, lambda row: (row[1], row[0]))
    }


def _values(account_id: UUID, period: Period, workspace_id: UUID | None) -> dict[str, Any]:
    return {"account": account_id, "start": period.start, "workspace": workspace_id}
