from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.credits.errors import PaymentMismatch
from billing.credits.models import Grant, LedgerAccount, TopUp, Transfer
from billing.credits.services.grant_credits import grant_credits
from billing.credits.services.lock_top_up import lock_top_up
from billing.credits.services.open_ledger_account import platform_account
from billing.credits.services.post_transfer import post_transfer


@transaction.atomic
def credit_top_up(*, top_up_id: UUID, paid: Decimal, payment_reference: str, at: datetime) -> TopUp:
    """Credit a paid purchase once, whoever brings the news and however often: credits as a grant, the fee as revenue.

    `paid` is in the purchase's currency. A payment that came in after the purchase had expired is credited all the
    same (M4). Raises PaymentMismatch where another amount was paid; then nothing moves.
    """
    top_up = lock_top_up(top_up_id)
    if top_up.state == TopUp.State.CREDITED:
        return top_up
    if paid != top_up.total:
        raise PaymentMismatch(f"{paid} {top_up.currency} was paid for {top_up.id}, {top_up.total} was asked.")
    grant_credits(
        account_id=top_up.account_id,
        amount=top_up.amount,
        source=Grant.Source.PURCHASE,
        idempotency_key=f"topup:{top_up.id}",
        at=at,
        description="Credits bought by card",
    )
    if top_up.fee > 0:
        _take_fee(top_up, at)
    top_up.state, top_up.payment_reference, top_up.credited_at = TopUp.State.CREDITED, payment_reference, at
    top_up.save(update_fields=["state", "payment_reference", "credited_at"])
    return top_up


def _take_fee(top_up: TopUp, at: datetime) -> None:
    post_transfer(
        debit_account=platform_account(LedgerAccount.Kind.FUNDING, top_up.currency),
        credit_account=platform_account(LedgerAccount.Kind.REVENUE, top_up.currency),
        amount=top_up.fee,
        reason=Transfer.Reason.FEE,
        idempotency_key=f"topup:{top_up.id}:fee",
        at=at,
        description="Fee on credits bought by card",
    )
