from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.timezone import now

from billing.credits.models import LedgerAccount


def open_ledger_account(*, kind: LedgerAccount.Kind, currency: str, at: datetime) -> LedgerAccount:
    """A customer's account in an ISO 4217 currency, with nothing on it."""
    return LedgerAccount.objects.create(kind=kind, currency=currency, created_at=at)


class _PlatformAccounts:
    """The platform's accounts, one of each kind and currency, made when first needed.

    An id never changes, so a process remembers it, but only once the transaction that read it has committed: the row
    may be that transaction's own and vanish with it.
    """

    def __init__(self) -> None:
        self._ids: dict[tuple[LedgerAccount.Kind, str], UUID] = {}

    def __call__(self, kind: LedgerAccount.Kind, currency: str) -> UUID:
        known = self._ids.get((kind, currency))
        if known is None:
            account, _ = LedgerAccount.objects.get_or_create(
                kind=kind, currency=currency, defaults={"created_at": now()}
            )
            known = account.id
            transaction.on_commit(lambda: self._ids.update({(kind, currency): account.id}))
        return known

    def cache_clear(self) -> None:
        """Start over, as a new process would."""
        self._ids.clear()


platform_account = _PlatformAccounts()
