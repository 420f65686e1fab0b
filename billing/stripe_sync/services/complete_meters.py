from collections.abc import Sequence
from typing import Any

import stripe

from billing.stripe_sync.models import StripeMeter
from billing.stripe_sync.reading import is_live, items_of, plan_item, plan_prices


def complete_meters(*, client: stripe.StripeClient, subscriptions: Sequence[stripe.Subscription]) -> bool:
    """Put every metered product beside the plan of a live subscription, where it is missing; whether any was (S7).

    Checkout sells one interval at a time, so that a yearly plan comes without its monthly meters; and a meter may be
    newer than a subscription. Call it under the customer's lock. Raises stripe.StripeError.
    """
    prices = plan_prices(subscriptions)
    meters = list(StripeMeter.objects.filter(is_active=True))
    is_changed = False
    for subscription in subscriptions:
        if not is_live(subscription) or plan_item(subscription, prices) is None:
            continue
        there = {item.price.id for item in items_of(subscription)}
        currency = subscription.currency.upper()
        missing: Any = [
            {"price": meter.price_id} for meter in meters if meter.currency == currency and meter.price_id not in there
        ]
        if missing:
            client.v1.subscriptions.update(subscription.id, {"items": missing, "proration_behavior": "none"})
            is_changed = True
    return is_changed
