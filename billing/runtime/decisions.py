"""The database functions that decide about runs, over arrays: requests that arrive together can share a call."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from billing.runtime.meters import MeterNeed

_CHECK_SLOT = """
    SELECT verdict, session_id, session_name, feature, used, retry_after
      FROM quaestor_check_session(%s, %s, %s, %s, %s, NULL, NULL, NULL, %s)
"""
_encoder = msgspec.json.Encoder(decimal_format="string")


class AuthorizeRow(msgspec.Struct, kw_only=True):
    """One request of `quaestor_authorize`. `held` is in `currency`; `hold` is None where nothing has to be held.

    `quoted` is the most that the run can cost at our prices, held or not: what the platform's budgets reserve.
    """

    id: UUID
    key: UUID | None
    account: UUID
    version: int
    tenant: UUID
    workspace: UUID
    ledger: UUID
    revenue: UUID
    idempotency_key: str
    body_digest: str
    provider: str
    model: str
    credential_source: str
    credential_reason: str
    credential_id: UUID | None
    credential_number: int | None
    funding: str
    rates: dict[str, Any]
    currency: str
    period_start: datetime
    input_tokens: int
    max_output_tokens: int
    hold: UUID | None
    held: Decimal
    quoted: Decimal
    meters: list[MeterNeed]
    office: str
    agent: str
    session: str
    end_user: str
    expires_at: datetime
    swept: bool
    sandbox: bool
    named_session: UUID | None
    new_session: UUID | None
    session_slots: int | None
    session_rate: int | None
    session_repeats: int | None
    session_shape: str
    session_lease: int


class AuthorizeVerdict(NamedTuple):
    """granted, replayed, conflict, stale, revoked, session-stopped, session-ended, sessions-full, limit, throttled,
    budget, expiry-due, or insufficient-credits.

    `overage` is what a granted run costs past the limit, `session_id` whose slot it is in, or what session refused.
    `feature` is the limit or bound that refuses; none where a person stopped the session.
    `used` is the counter's reading where a limit refuses, the platform's spending where its budget does, and what can
    be spent where funds do not suffice.
    """

    verdict: str
    authorization_id: UUID
    feature: str | None
    used: Decimal | None
    retry_after: int | None
    overage: Decimal
    session_id: UUID | None


class SlotVerdict(NamedTuple):
    """Whether a session has a slot or may take one: `verdict` is None, session-stopped, session-ended or sessions-full.

    `session_id` is the known session's, None for a new one; `name` is what runs and events call it.
    """

    verdict: str | None
    session_id: UUID | None
    name: str
    feature: str | None
    used: Decimal | None
    retry_after: int | None


class SettleRow(msgspec.Struct, kw_only=True):
    """One request of `quaestor_settle`; `event` is a row of usage events, and so is `overage_event`, for a run past the
    limit."""

    id: UUID
    ledger: UUID
    receivable: UUID
    revenue: UUID
    digest: str
    cost: Decimal
    event: Any
    swept: bool
    overage_event: Any
    session_lease: int


class SettleVerdict(NamedTuple):
    """What came of a settlement: settled, replayed, conflict, or expiry-due."""

    verdict: str
    authorization_id: UUID
    cost: Decimal
    charged: Decimal
    owed: Decimal
    balance: Decimal
    event_id: UUID
    overage: Decimal


class ReleaseRow(msgspec.Struct, kw_only=True):
    """One request of `quaestor_release`."""

    id: UUID
    ledger: UUID
    revenue: UUID
    session_lease: int = 60


def decide_authorize(rows: Sequence[AuthorizeRow], at: datetime) -> list[AuthorizeVerdict]:
    """Decide requests in their order; each granted one has reserved what it asked for."""
    return [AuthorizeVerdict(*row) for row in _call("SELECT * FROM quaestor_authorize(%s::jsonb, %s)", rows, at)]


def check_slot(
    *, account_id: UUID, workspace_id: UUID, session_id: UUID | None, name: str, slots: int | None, at: datetime
) -> SlotVerdict:
    """Look for a session's slot, or a free one, under the lock of the account's ledger row; a lost one is ended."""
    with connection.cursor() as cursor:
        cursor.execute(_CHECK_SLOT, [account_id, workspace_id, session_id, name, slots, at])
        (row,) = cursor.fetchall()
    return SlotVerdict(*row)


def decide_settle(rows: Sequence[SettleRow], at: datetime) -> list[SettleVerdict]:
    """Settle runs in their order."""
    return [SettleVerdict(*row) for row in _call("SELECT * FROM quaestor_settle(%s::jsonb, %s)", rows, at)]


def decide_release(rows: Sequence[ReleaseRow], state: str, at: datetime) -> list[str]:
    """Close open runs without usage; answers `released`, or the state that a run was in."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT verdict FROM quaestor_release(%s::jsonb, %s, %s)", [_encoder.encode(rows).decode(), state, at]
        )
        return [verdict for (verdict,) in cursor.fetchall()]


def _call(statement: str, rows: Sequence[msgspec.Struct], at: datetime) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [_encoder.encode(rows).decode(), at])
        answers: list[tuple[Any, ...]] = cursor.fetchall()
    return answers
