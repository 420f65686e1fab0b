from datetime import datetime
from typing import Any
from uuid import UUID

import stripe
from django.db import transaction

from billing.core.money import to_minor_units
from billing.plans.models import PlanPrice, PlanVersion
from billing.stripe_sync.catalogue_objects import INTERVALS, lookup_key, product_id
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import StripePrice
from billing.stripe_sync.push_lock import lock_push
from billing.stripe_sync.stripe_prices import PushResult, prices_by_key, put_price, put_product


@transaction.atomic
def push_version(*, version_id: UUID, at: datetime) -> PushResult:
    """Put a published plan version's product and prices at Stripe, adopting what is there (S1, P2).

    Its prices are read at Stripe even where we know them, so that another Stripe account behind a new key gets them
    too. Raises StripeNotConfigured, stripe.StripeError; what was made until then is adopted by the next push.
    """
    lock_push()
    client, result = stripe_client(), PushResult()
    version = PlanVersion.objects.select_related("plan").get(id=version_id)
    plan = version.plan
    put_product(
        client,
        key=product_id(plan),
        name=plan.name,
        description=plan.description,
        metadata={"quaestor_plan": plan.slug},
        result=result,
    )
    prices = list(PlanPrice.objects.filter(version=version).select_related("version__plan", "stripe_price"))
    found = prices_by_key(client, [lookup_key(price) for price in prices])
    for price in prices:
        _push_price(client, price, found.get(lookup_key(price)), result, at)
    return result


def price_at_stripe(*, plan_price: PlanPrice, at: datetime) -> StripePrice:
    """The Stripe price of a plan's price, pushed now if it never was. Raises as push_version does."""
    known = StripePrice.objects.filter(plan_price=plan_price).first()
    if known is not None:
        return known
    push_version(version_id=plan_price.version_id, at=at)
    return StripePrice.objects.get(plan_price=plan_price)


def wanted_price(price: PlanPrice) -> dict[str, Any]:
    """A plan's price as Stripe should have it; needs `version.plan` at hand.

    One per seat and a flat one look alike there: the quantity on the subscription is the number of seats, or one.
    """
    version = price.version
    return {
        "product": product_id(version.plan),
        "currency": version.currency.lower(),
        "unit_amount": to_minor_units(price.amount, version.currency),
        "recurring": {"interval": INTERVALS[PlanPrice.Interval(price.interval)], "usage_type": "licensed"},
        "lookup_key": lookup_key(price),
        "nickname": f"{version.plan.name} {price.interval}, {price.variant}",
        "metadata": {
            "quaestor_plan": version.plan.slug,
            "quaestor_version": str(version.number),
            "quaestor_interval": price.interval,
            "quaestor_variant": price.variant,
            "quaestor_per_seat": "yes" if price.per_seat else "no",
        },
    }


def _push_price(
    client: stripe.StripeClient, price: PlanPrice, found: stripe.Price | None, result: PushResult, at: datetime
) -> None:
    wanted = wanted_price(price)
    there, was_touched = put_price(client, wanted=wanted, found=found, result=result)
    known = StripePrice.objects.filter(plan_price=price).first()
    if known is not None and known.price_id == there.id and not was_touched:
        result.unchanged.append(wanted["lookup_key"])
        return
    StripePrice.objects.update_or_create(
        plan_price=price,
        defaults={
            "price_id": there.id,
            "product_id": wanted["product"],
            "lookup_key": wanted["lookup_key"],
            "pushed_at": at,
        },
    )
    if wanted["lookup_key"] not in result.created:
        result.adopted.append(wanted["lookup_key"])
