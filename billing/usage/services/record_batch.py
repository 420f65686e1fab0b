from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from uuid_utils.compat import uuid7

from billing.credits.models import LedgerAccount
from billing.credits.services.expire_grants import expire_grants
from billing.credits.services.open_ledger_account import platform_account
from billing.subscriptions.terms import AccountTerms
from billing.usage.rows import EventRow, to_json

_INGEST = """
    SELECT verdict, event_id, is_new, same_body
      FROM quaestor_ingest(%s, %s, %s, %s, %s, %s, %s::json, %s, %s) ORDER BY place
"""


class StaleTerms(Exception):
    """The account has changed since its terms were read."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The event that a key stands for, and whether this batch wrote it."""

    event_id: UUID
    is_new: bool
    same_body: bool


def record_batch(*, terms: AccountTerms, rows: Sequence[EventRow], at: datetime) -> list[Recorded]:
    """Record rated events of one account and charge them, inside the caller's transaction; answers stand in order.

    Each key may stand once in `rows`. Raises StaleTerms, with nothing recorded, when the account's version has moved.
    """
    if not rows:
        return []
    answers = _call(terms, rows, at, swept=False)
    if answers[0][0] == "expiry-due":
        expire_grants(account_id=terms.credits_id, at=at)
        answers = _call(terms, rows, at, swept=True)
    if answers[0][0] == "stale":
        raise StaleTerms
    return [Recorded(event_id, is_new, same_body) for _, event_id, is_new, same_body in answers]


def _call(
    terms: AccountTerms, rows: Sequence[EventRow], at: datetime, *, swept: bool
) -> list[tuple[str, UUID, bool, bool]]:
    revenue = platform_account(LedgerAccount.Kind.REVENUE, terms.currency)
    with connection.cursor() as cursor:
        cursor.execute(
            _INGEST,
            [
                uuid7(),
                terms.account_id,
                terms.version,
                terms.credits_id,
                terms.receivable_id,
                revenue,
                to_json(list(rows)),
                at,
                swept,
            ],
        )
        return cursor.fetchall()
