from datetime import datetime, timedelta
from uuid import UUID

import stripe
import structlog

from billing.core.ids import encode_id
from billing.core.money import to_minor_units
from billing.credits.models import Payout
from billing.credits.services.finish_payout import fail_payout
from billing.stripe_sync.client import is_configured, stripe_client
from billing.stripe_sync.errors import is_outage, told
from billing.stripe_sync.services.sync_transfer import apply_transfer

_log = structlog.get_logger(__name__)
# A first try takes seconds. Whatever is older may have been sent under a key that Stripe has forgotten.
_FIRST_TRY = timedelta(minutes=2)


def send_payout(*, payout_id: UUID, at: datetime) -> Payout:
    """Send a payout that is on its way; sent again, it arrives once (M10).

    What Stripe refuses is owed again. Raises StripeNotConfigured, and stripe.StripeError where nobody knows whether it
    arrived: it stays on its way, and the same is asked again later.
    """
    payout = Payout.objects.select_related("creator").get(id=payout_id)
    if payout.state != Payout.State.PENDING:
        return payout
    client = stripe_client()
    transfer = _found(client, payout) if at - payout.created_at > _FIRST_TRY else None
    try:
        transfer = transfer or _sent(client, payout)
    except stripe.InvalidRequestError as error:
        return fail_payout(payout_id=payout_id, error=error.user_message or told(error), at=at)
    apply_transfer(payout_id=payout_id, transfer=transfer, at=at)
    return Payout.objects.get(id=payout_id)


def _sent(client: stripe.StripeClient, payout: Payout) -> stripe.Transfer:
    key = encode_id("pay", payout.id)
    return client.v1.transfers.create(
        {
            "amount": to_minor_units(payout.amount, payout.currency),
            "currency": payout.currency.lower(),
            "destination": payout.creator.external_account,
            "transfer_group": key,
            "metadata": {"quaestor_payout": key},
        },
        {"idempotency_key": f"payout:{key}"},
    )


def _found(client: stripe.StripeClient, payout: Payout) -> stripe.Transfer | None:
    found = client.v1.transfers.list({"transfer_group": encode_id("pay", payout.id), "limit": 1})
    return found.data[0] if found.data else None


def send_payouts(*, at: datetime) -> int:
    """Send what is still on its way, as after a worker has died; answers how many arrived."""
    if not is_configured():
        return 0
    arrived = 0
    for payout_id in Payout.objects.filter(state=Payout.State.PENDING).order_by("id").values_list("id", flat=True):
        try:
            arrived += send_payout(payout_id=payout_id, at=at).state == Payout.State.PAID
        except stripe.StripeError as error:
            _log.warning("payout_unknown", payout=str(payout_id), error=told(error))
            if is_outage(error):
                break
    return arrived
