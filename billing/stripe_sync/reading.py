"""Stripe's objects as values of ours. Nothing here asks Stripe."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import stripe
import structlog
from django.db.models import Q

from billing.core.money import from_minor_units
from billing.plans.models import PlanPrice
from billing.stripe_sync.models import StripePrice
from billing.subscriptions.models import Agreement
from billing.subscriptions.state import SubscriptionState

_log = structlog.get_logger(__name__)
# Disputes whose money is gone, for now or for good. An inquiry (warning_…) has taken nothing yet.
_HELD_BY_DISPUTE = frozenset({"needs_response", "under_review", "lost"})
_LOOKUP_PARTS = 5  # quaestor:{plan}:v{number}:{interval}:{variant}


def instant(seconds: int) -> datetime:
    """A time of Stripe's, which counts seconds."""
    return datetime.fromtimestamp(seconds, UTC)


def as_id(thing: object) -> str:
    """The id of what Stripe gives as an id or, where it was expanded, as an object; empty for nothing."""
    return str(getattr(thing, "id", thing) or "")


def noted(thing: stripe.StripeObject, name: str) -> str:
    """What we wrote into an object's metadata under a name; empty for nothing."""
    return str(getattr(getattr(thing, "metadata", None), name, "") or "")


def is_live(subscription: stripe.Subscription) -> bool:
    """Whether a subscription may give a plan, overdue ones included."""
    return subscription.status in Agreement.LIVE


def plan_prices(subscriptions: Iterable[stripe.Subscription]) -> dict[str, PlanPrice]:
    """Which of our prices the prices on these subscriptions stand for, by Stripe's id; one query or two."""
    prices = {item.price.id: item.price for subscription in subscriptions for item in items_of(subscription)}
    known = StripePrice.objects.filter(price_id__in=prices).select_related("plan_price__version__plan")
    found = {row.price_id: row.plan_price for row in known}
    missing = {key: str(price.lookup_key or "") for key, price in prices.items() if key not in found}
    return found | _by_lookup_key(missing)


def plan_item(
    subscription: stripe.Subscription, prices: Mapping[str, PlanPrice]
) -> tuple[stripe.SubscriptionItem, PlanPrice] | None:
    """The item that stands for the plan, not for a meter, and our price; None where there is none or it is foreign."""
    for item in items_of(subscription):
        if item.price.id in prices:
            return item, prices[item.price.id]
    return None


def items_of(subscription: stripe.Subscription) -> list[stripe.SubscriptionItem]:
    """What is on a subscription: Stripe gives at most 20 items with it."""
    items: list[stripe.SubscriptionItem] = subscription["items"].data  # as an attribute it is a method of the SDK's
    return items


def price_of(line: stripe.InvoiceLineItem) -> str:
    """The id of the price that a line is of; empty for a line without one."""
    details = line.pricing.price_details if line.pricing is not None else None
    return as_id(details.price) if details is not None else ""


def given_back(charge: stripe.Charge, disputes: Iterable[stripe.Dispute]) -> Decimal:
    """What refunds and disputes hold of a payment, in its currency; disputes all count as the payment's."""
    disputed = sum(dispute.amount for dispute in disputes if dispute.status in _HELD_BY_DISPUTE)
    return from_minor_units(charge.amount_refunded + disputed, charge.currency.upper())


def read_states(subscriptions: Sequence[stripe.Subscription]) -> list[SubscriptionState]:
    """All subscriptions of a customer as the billing account sees them (S4).

    One whose price is not ours is passed over, unless we know it from before: then it keeps its plan, and the drift
    report names the price.
    """
    prices = plan_prices(subscriptions)
    states = []
    for subscription in subscriptions:
        found = plan_item(subscription, prices)
        state = _state(subscription, *found) if found is not None else _state_as_known(subscription)
        if state is None:
            _log.warning("foreign_subscription", subscription=subscription.id)
        else:
            states.append(state)
    return states


def _state(subscription: stripe.Subscription, item: stripe.SubscriptionItem, price: PlanPrice) -> SubscriptionState:
    seats = (item.quantity or 1) if price.per_seat else 1
    return _made(subscription, item, (price.version_id, price.interval, price.variant, seats))


def _state_as_known(subscription: stripe.Subscription) -> SubscriptionState | None:
    known = Agreement.objects.filter(external_id=subscription.id).first()
    if known is None:
        return None
    item = items_of(subscription)[0]
    return _made(subscription, item, (known.plan_version_id, known.interval, known.variant, known.seats))


def _made(
    subscription: stripe.Subscription,
    item: stripe.SubscriptionItem,
    plan: tuple[UUID, str, str, int],
) -> SubscriptionState:
    plan_version_id, interval, variant, seats = plan
    # During a trial the anchor is where the trial ends. Extending it must not move the running period, whose counters
    # would begin anew: the first paid period does that.
    is_trial = subscription.status == "trialing"
    ends = subscription.cancel_at or (item.current_period_end if subscription.cancel_at_period_end else None)
    return SubscriptionState(
        external_id=subscription.id,
        status=subscription.status,
        plan_version_id=plan_version_id,
        interval=interval,
        variant=variant,
        seats=seats,
        anchor=instant(subscription.start_date if is_trial else subscription.billing_cycle_anchor),
        started_at=instant(subscription.start_date),
        period_start=instant(item.current_period_start),
        period_end=instant(item.current_period_end),
        cancel_at=instant(ends) if ends is not None and subscription.ended_at is None else None,
        ended_at=instant(subscription.ended_at) if subscription.ended_at is not None else None,
        next_plan_slug=noted(subscription, "next_plan")[:63],
    )


def _by_lookup_key(keys: Mapping[str, str]) -> dict[str, PlanPrice]:
    """Prices that another installation of ours, or a push that was interrupted, put at Stripe."""
    wanted = Q()
    for key in keys.values():
        wanted |= _named(key)
    if not wanted:
        return {}
    rows = PlanPrice.objects.filter(wanted).select_related("version__plan")
    by_key = {
        f"quaestor:{row.version.plan.slug}:v{row.version.number}:{row.interval}:{row.variant}": row for row in rows
    }
    return {price: by_key[key] for price, key in keys.items() if key in by_key}


def _named(key: str) -> Q:
    parts = key.split(":")
    if len(parts) != _LOOKUP_PARTS or parts[0] != "quaestor" or not parts[2][1:].isdecimal():
        return Q()
    _, slug, number, interval, variant = parts
    return Q(version__plan__slug=slug, version__number=int(number[1:]), interval=interval, variant=variant)
