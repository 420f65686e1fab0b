from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.credits.models import LedgerAccount, Transfer
from billing.credits.services.open_ledger_account import platform_account
from billing.credits.services.post_transfer import post_transfer


@transaction.atomic
def settle_receivable(
    *, credits_id: UUID, receivable_id: UUID, amount: Decimal, idempotency_key: str, at: datetime, description: str = ""
) -> Decimal:
    """Take a payment off what a customer owes, in the account's currency; answers how much of it (S7).

    Never more than is owed, and never credits: a payment of usage that an invoice rounded up settles what was used.
    The same key again settles nothing more and gives the first answer.
    """
    LedgerAccount.objects.select_for_update(no_key=True).get(id=credits_id)
    receivable = LedgerAccount.objects.select_for_update(no_key=True).get(id=receivable_id)
    known = Transfer.objects.filter(idempotency_key=idempotency_key).first()
    if known is not None:
        return known.amount
    settled = min(amount, -receivable.balance)
    if settled <= 0:
        return Decimal(0)
    post_transfer(
        debit_account=platform_account(LedgerAccount.Kind.FUNDING, receivable.currency),
        credit_account=receivable_id,
        amount=settled,
        reason=Transfer.Reason.PAYMENT,
        idempotency_key=idempotency_key,
        at=at,
        description=description,
    )
    return settled
