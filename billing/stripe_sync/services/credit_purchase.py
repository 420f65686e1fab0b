from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.credits.models import TopUp
from billing.credits.services.credit_top_up import credit_top_up
from billing.credits.services.pay_owed import pay_owed
from billing.invoices.services.refresh_payments import refresh_payments
from billing.stripe_sync.arrears import billed_at_stripe, owed_by
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import StripeCustomer
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import governing_agreement


@transaction.atomic
def credit_purchase(
    *, account: BillingAccount, top_up_id: UUID, paid: Decimal, payment_reference: str, at: datetime
) -> TopUp:
    """Credit a paid purchase once; what the account owes is paid from it first where no invoice will ask for it (M4).

    A live subscription's next invoice asks for usage, so that nothing is taken from credits then. Call it under the
    customer's lock. Raises PaymentMismatch, StripeNotConfigured, stripe.StripeError.
    """
    is_news = TopUp.objects.get(id=top_up_id).state != TopUp.State.CREDITED
    is_debtor = is_news and governing_agreement(account.id) is None and owed_by(account) > 0
    billed = _billed(account) if is_debtor else Decimal(0)  # asked for before the ledger is locked
    top_up = credit_top_up(top_up_id=top_up_id, paid=paid, payment_reference=payment_reference, at=at)
    if is_debtor:
        pay_owed(
            credits_id=account.credits_id,
            receivable_id=account.receivable_id,
            most=top_up.amount,
            billed=billed,
            idempotency_key=f"topup:{top_up_id}:debt",
            at=at,
        )
        refresh_payments(account_id=account.id, at=at)
    return top_up


def _billed(account: BillingAccount) -> Decimal:
    customer = StripeCustomer.objects.filter(account=account).first()
    return billed_at_stripe(stripe_client(), customer) if customer is not None else Decimal(0)
