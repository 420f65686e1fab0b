from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.utils.timezone import now

from billing.credits.models import LedgerAccount


def open_ledger_account(*, kind: LedgerAccount.Kind, currency: str, at: datetime) -> LedgerAccount:
    """A customer's account in an ISO 4217 currency, with nothing on it."""
    return LedgerAccount.objects.create(kind=kind, currency=currency, created_at=at)


@lru_cache(maxsize=64)
def platform_account(kind: LedgerAccount.Kind, currency: str) -> UUID:
    """The platform's account of a kind and currency; there is one each, made when first needed.

    Its id is never changed, so a process may remember it.
    """
    account, _ = LedgerAccount.objects.get_or_create(kind=kind, currency=currency, defaults={"created_at": now()})
    return account.id
