from collections.abc import Iterable
from uuid import UUID

from billing.credits.models import LedgerAccount
from billing.subscriptions.models import BillingAccount


def lock_ledgers(account_ids: Iterable[UUID]) -> None:
    """Lock the credits ledger rows of billing accounts, in id order, until the transaction ends.

    What another transaction records under one of the accounts is waited for, and seen by the next statement.
    """
    ledgers = BillingAccount.objects.filter(id__in=account_ids).values("credits_id")
    rows = LedgerAccount.objects.select_for_update(no_key=True).filter(id__in=ledgers).order_by("id")
    list(rows.values_list("id", flat=True))
