from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.credits.models import LedgerAccount, Transfer
from billing.credits.services.expire_grants import expire_grants
from billing.credits.services.post_transfer import post_transfer


@transaction.atomic
def pay_owed(
    *, credits_id: UUID, receivable_id: UUID, most: Decimal, billed: Decimal, idempotency_key: str, at: datetime
) -> Decimal:
    """Pay what a customer owes out of its credits, in the account's currency; answers how much (M4).

    `most` at most, as far as credits are free, and not what is `billed`: an invoice that may still be paid asks for
    that. The same key again pays nothing more and gives the first answer.
    """
    LedgerAccount.objects.select_for_update(no_key=True).get(id=credits_id)
    known = Transfer.objects.filter(idempotency_key=idempotency_key).first()
    if known is not None:
        return known.amount
    expire_grants(account_id=credits_id, at=at)
    receivable = LedgerAccount.objects.select_for_update(no_key=True).get(id=receivable_id)
    free = LedgerAccount.objects.get(id=credits_id).available
    paid = min(most, free, -receivable.balance - billed)
    if paid <= 0:
        return Decimal(0)
    post_transfer(
        debit_account=credits_id,
        credit_account=receivable_id,
        amount=paid,
        reason=Transfer.Reason.PAYMENT,
        idempotency_key=idempotency_key,
        at=at,
        description="Paid from credits: what was owed before",
    )
    return paid
