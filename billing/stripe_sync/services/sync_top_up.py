from datetime import datetime

import stripe
from django.db import transaction

from billing.core.money import from_minor_units
from billing.credits.services.expire_top_up import expire_top_up
from billing.stripe_sync.models import CheckoutSession
from billing.stripe_sync.reading import as_id
from billing.stripe_sync.services.credit_purchase import credit_purchase


@transaction.atomic
def sync_top_up(*, checkout: CheckoutSession, session: stripe.checkout.Session, at: datetime) -> None:
    """Let a purchase of credits follow its Checkout page, as it was just read (M4, S4).

    Paid is credited, once whoever reads it; a page whose time is over closes the purchase. A later refund is not seen
    here but by `sync_charge`. Raises PaymentMismatch, stripe.StripeError.
    """
    if checkout.top_up_id is None:
        raise ValueError(f"The page {session.id} is not for credits.")
    if session.payment_status == "paid":
        credit_purchase(
            account=checkout.account,
            top_up_id=checkout.top_up_id,
            paid=from_minor_units(session.amount_total or 0, (session.currency or "").upper()),
            payment_reference=as_id(session.payment_intent),
            at=at,
        )
    elif session.status == "expired":
        expire_top_up(top_up_id=checkout.top_up_id)
