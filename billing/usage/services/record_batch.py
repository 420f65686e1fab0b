from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from uuid_utils.compat import uuid7

from billing.credits.models import LedgerAccount
from billing.credits.services.expire_grants import expire_grants
from billing.credits.services.open_ledger_account import platform_account
from billing.subscriptions.terms import AccountTerms
from billing.usage.rows import BatchRow, Origin, to_json

_INGEST = """
    SELECT verdict, place, event_id, same_body
      FROM quaestor_ingest(%s, %s, %s, %s, %s, %s, %s::json, %s::json, %s, %s, %s)
"""


class StaleTerms(Exception):
    """The account has changed since its terms were read."""


class Known(NamedTuple):
    """The event that a key stood for already, and whether its body was this one."""

    event_id: UUID
    same_body: bool


def record_batch(
    *, terms: AccountTerms, version: int, rows: Sequence[BatchRow], origins: Sequence[Origin], at: datetime
) -> dict[int, Known]:
    """Record rated events of one account and charge them, inside the caller's transaction.

    Each key may stand once in `rows`; `version` is the account's, of the oldest reading that they were prepared from.
    Answers what was known before, by its place in `rows`; everything else is new. Raises StaleTerms, with nothing
    recorded, when the account's version has moved.
    """
    if not rows:
        return {}
    batch = to_json(rows), to_json(origins), len(rows)
    answers = _call(terms, version, batch, at, swept=False)
    if answers and answers[0][0] == "expiry-due":
        expire_grants(account_id=terms.credits_id, at=at)
        answers = _call(terms, version, batch, at, swept=True)
    if answers and answers[0][0] == "stale":
        raise StaleTerms
    return {place: Known(event_id, same_body) for _, place, event_id, same_body in answers}


def _call(
    terms: AccountTerms, version: int, batch: tuple[str, str, int], at: datetime, *, swept: bool
) -> list[tuple[str, int, UUID, bool]]:
    revenue = platform_account(LedgerAccount.Kind.REVENUE, terms.currency)
    account = terms.account_id, version, terms.credits_id, terms.receivable_id
    with connection.cursor() as cursor:
        cursor.execute(_INGEST, [uuid7(), *account, revenue, *batch, at, swept])
        answers: list[tuple[str, int, UUID, bool]] = cursor.fetchall()
    return answers
