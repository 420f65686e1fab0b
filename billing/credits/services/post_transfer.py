from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F

from billing.core.money import round_rated
from billing.credits.errors import InsufficientCredits, TransferConflict
from billing.credits.models import LedgerAccount, Transfer


@transaction.atomic
def post_transfer(
    *,
    debit_account: UUID,
    credit_account: UUID,
    amount: Decimal,
    reason: Transfer.Reason,
    idempotency_key: str,
    at: datetime,
    description: str = "",
) -> Transfer:
    """Move an amount at once, in the accounts' currency; the same key again gives the first transfer.

    Locks the customers' accounts in id order; the platform's keep no totals, and a lock on one would queue everybody.
    Raises ValueError for an amount that is not positive or finer than the ledger, TransferConflict when the key stands
    for another movement, InsufficientCredits when prepaid credits do not suffice.
    """
    if amount <= 0 or round_rated(amount) != amount:
        raise ValueError("A transfer needs an amount above zero with at most nine decimals.")
    customers = LedgerAccount.objects.exclude(kind__in=LedgerAccount.PLATFORM_KINDS)
    locked = customers.select_for_update(no_key=True).filter(id__in=[debit_account, credit_account])
    accounts = {account.id: account for account in locked.order_by("id")}
    known = _known(idempotency_key, (debit_account, credit_account, amount))
    if known is not None:
        return known
    _require_funds(accounts.get(debit_account), amount)
    transfer = Transfer.objects.create(
        phase=Transfer.Phase.POSTED,
        reason=reason,
        debit_account_id=debit_account,
        credit_account_id=credit_account,
        amount=amount,
        idempotency_key=idempotency_key,
        description=description,
        created_at=at,
    )
    customers.filter(id=debit_account).update(debits_posted=F("debits_posted") + amount)
    customers.filter(id=credit_account).update(credits_posted=F("credits_posted") + amount)
    return transfer


def _known(idempotency_key: str, movement: tuple[UUID, UUID, Decimal]) -> Transfer | None:
    known = Transfer.objects.filter(idempotency_key=idempotency_key).first()
    if known is not None and (known.debit_account_id, known.credit_account_id, known.amount) != movement:
        raise TransferConflict(f"The key {idempotency_key!r} stands for another transfer.")
    return known


def _require_funds(debited: LedgerAccount | None, amount: Decimal) -> None:
    """Only prepaid credits can lack: what is owed, and the platform's accounts, have no floor."""
    if debited is not None and debited.kind == LedgerAccount.Kind.CREDITS and debited.available < amount:
        raise InsufficientCredits(f"{debited.available} {debited.currency} is available, {amount} is needed.")
