from datetime import datetime
from uuid import UUID

import stripe
from django.db import transaction

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import CheckoutSession
from billing.stripe_sync.reading import instant, noted
from billing.stripe_sync.services.sync_customer import lock_customer, sync_customer
from billing.stripe_sync.services.sync_top_up import sync_top_up

_STATES = {
    "open": CheckoutSession.State.OPEN,
    "complete": CheckoutSession.State.COMPLETE,
    "expired": CheckoutSession.State.EXPIRED,
}


@transaction.atomic
def sync_checkout(*, session_id: str, at: datetime) -> None:
    """Read a Checkout page afresh and take over what became of it: a plan or credits paid, or a page closed (S4).

    One that is not ours is passed over. Raises StripeNotConfigured, stripe.StripeError.
    """
    client = stripe_client()
    session = client.v1.checkout.sessions.retrieve(session_id)
    row = _row(session)
    if row is None:
        return
    lock_customer(row.account_id)
    session = client.v1.checkout.sessions.retrieve(session_id)
    row.refresh_from_db()
    row.session_id, row.state = session.id, _STATES[session.status or "open"]
    row.url, row.expires_at = row.url or session.url or "", instant(session.expires_at)
    row.save()
    if row.top_up_id is not None:
        sync_top_up(checkout=row, session=session, at=at)
    elif row.state == CheckoutSession.State.COMPLETE:
        sync_customer(account_id=row.account_id, at=at)


def _row(session: stripe.checkout.Session) -> CheckoutSession | None:
    """Our row of a page: by its id, or by ours in it where Stripe's answer to the opening was lost."""
    known = CheckoutSession.objects.filter(session_id=session.id).first()
    if known is not None:
        return known
    try:
        ours = UUID(hex=noted(session, "quaestor_checkout"))
    except ValueError:
        return None
    return CheckoutSession.objects.filter(id=ours).first()
