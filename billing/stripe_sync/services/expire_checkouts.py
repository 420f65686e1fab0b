from datetime import datetime
from uuid import UUID

import stripe

from billing.stripe_sync.models import CheckoutSession, StripeCustomer
from billing.stripe_sync.reading import noted

_State = CheckoutSession.State


def expire_checkouts(
    *, client: stripe.StripeClient, customer: StripeCustomer, at: datetime, except_id: UUID | None = None
) -> int:
    """Close the account's plan Checkout pages at Stripe, so that nobody pays for what was overtaken; answers how many.

    Call it under the customer's lock. Stripe says which are open, so that one whose opening was never answered is
    closed too. One that is being paid this instant stays: what it started is found by the next look, as a second
    subscription. Raises stripe.StripeError.
    """
    waiting = CheckoutSession.objects.filter(
        account_id=customer.account_id, plan_price__isnull=False, state__in=[_State.OPENING, _State.OPEN]
    )
    if except_id is not None:
        waiting = waiting.exclude(id=except_id)
    if not waiting.exists():
        return 0
    kept = except_id.hex if except_id is not None else ""
    found = client.v1.checkout.sessions.list({"customer": customer.customer_id, "status": "open", "limit": 100})
    plans = [one for one in found.auto_paging_iter() if one.mode == "subscription"]
    for session in plans:
        if noted(session, "quaestor_checkout") != kept and not _expire(client, session.id):
            waiting = waiting.exclude(session_id=session.id)
    return waiting.update(state=_State.EXPIRED, expires_at=at)


def _expire(client: stripe.StripeClient, session_id: str) -> bool:
    """Whether the page is closed now without having been paid."""
    try:
        client.v1.checkout.sessions.expire(session_id)
    except stripe.InvalidRequestError:
        return client.v1.checkout.sessions.retrieve(session_id).status == "expired"
    return True
