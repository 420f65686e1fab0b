from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F

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

    Locks both accounts in id order. Raises TransferConflict when the key stands for another movement,
    InsufficientCredits when prepaid credits do not suffice.
    """
    accounts = {
        account.id: account
        for account in LedgerAccount.objects.select_for_update(no_key=True)
        .filter(id__in=[debit_account, credit_account])
        .order_by("id")
    }
    known = Transfer.objects.filter(idempotency_key=idempotency_key).first()
    if known is not None:
        if (known.debit_account_id, known.credit_account_id, known.amount) != (debit_account, credit_account, amount):
            raise TransferConflict(f"The key {idempotency_key!r} stands for another transfer.")
        return known
    debited = accounts[debit_account]
    if debited.kind == LedgerAccount.Kind.CREDITS and debited.available < amount:
        raise InsufficientCredits(f"{debited.available} {debited.currency} is available, {amount} is needed.")
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
    customers = LedgerAccount.objects.exclude(kind__in=LedgerAccount.PLATFORM_KINDS)
    customers.filter(id=debit_account).update(debits_posted=F("debits_posted") + amount)
    customers.filter(id=credit_account).update(credits_posted=F("credits_posted") + amount)
    return transfer
