from collections.abc import Callable
from datetime import datetime

import stripe

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.reading import as_id
from billing.stripe_sync.services.sync_charge import sync_charge


def sync_payment(*, kind: str, object_id: str, at: datetime) -> bool:
    """Read afresh the payment that a refund, dispute or payment intent (`kind`) belongs to; whether it is ours (S4).

    Raises what `sync_charge` raises.
    """
    charge_id = _CHARGE_OF[kind](stripe_client(), object_id)
    return sync_charge(charge_id=charge_id, at=at) if charge_id else False


_CHARGE_OF: dict[str, Callable[[stripe.StripeClient, str], str]] = {
    "refund": lambda client, key: as_id(client.v1.refunds.retrieve(key).charge),
    "dispute": lambda client, key: as_id(client.v1.disputes.retrieve(key).charge),
    "payment_intent": lambda client, key: as_id(client.v1.payment_intents.retrieve(key).latest_charge),
}
