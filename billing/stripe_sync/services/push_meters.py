from datetime import datetime
from typing import Any

import stripe
from django.db import transaction

from billing.plans.models import MeterPrice, PlanVersion
from billing.stripe_sync.catalogue_objects import (
    meter_event_name,
    meter_lookup_key,
    meter_product_id,
    metered_line_name,
    metered_line_note,
    metered_name,
    minor_unit,
)
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import StripeMeter
from billing.stripe_sync.push_lock import lock_push
from billing.stripe_sync.stripe_prices import PushResult, prices_by_key, put_price, put_product

_UNIT = 1  # one minor unit of the currency for each that the meter counts


@transaction.atomic
def push_meters(*, at: datetime) -> PushResult:
    """Put a billing meter, and the price of its readings, at Stripe for each metered product (S1, S7).

    Of every currency in which a published plan prices it. Raises StripeNotConfigured, stripe.StripeError.
    """
    lock_push()
    client, result = stripe_client(), PushResult()
    metered = metered_products()
    meters = {meter.event_name: meter for meter in _meters(client)} if metered else {}
    prices = prices_by_key(client, [meter_lookup_key(product, currency) for product, currency in metered])
    for product, currency in metered:
        meter = _put_meter(client, product, currency, meters.get(meter_event_name(product, currency)), result)
        found = prices.get(meter_lookup_key(product, currency))
        _push_price(client, meter, (product, currency), found=found, result=result, at=at)
    return result


def metered_products() -> list[tuple[str, str]]:
    """Each product and currency that a published plan version meters."""
    published = MeterPrice.objects.filter(version__state=PlanVersion.State.PUBLISHED)
    return sorted(set(published.values_list("product", "version__currency")))


def wanted_meter_price(meter_id: str, product: str, currency: str) -> dict[str, Any]:
    """The price of a meter's readings, which are money already."""
    return {
        "product": meter_product_id(product, currency),
        "currency": currency.lower(),
        "unit_amount": _UNIT,
        "recurring": {"interval": "month", "usage_type": "metered", "meter": meter_id},
        "lookup_key": meter_lookup_key(product, currency),
        "metadata": {"quaestor_product": product},
    }


def _meters(client: stripe.StripeClient) -> list[stripe.billing.Meter]:
    """All meters, those in use last: one that was deactivated may have the name of one in use."""
    meters = client.v1.billing.meters.list({"limit": 100}).auto_paging_iter()
    return sorted(meters, key=lambda meter: (meter.status == "active", meter.created))


def _put_meter(
    client: stripe.StripeClient, product: str, currency: str, found: stripe.billing.Meter | None, result: PushResult
) -> stripe.billing.Meter:
    """A meter in use with our event name, that adds values up by customer."""
    if found is None:
        name = meter_event_name(product, currency)
        result.created.append(name)
        return client.v1.billing.meters.create(
            {
                "display_name": f"{metered_name(product)} ({currency})",
                "event_name": name,
                "default_aggregation": {"formula": "sum"},
                "customer_mapping": {"event_payload_key": "stripe_customer_id", "type": "by_id"},
                "value_settings": {"event_payload_key": "value"},
            }
        )
    if found.status != "active":
        return client.v1.billing.meters.reactivate(found.id)
    return found


def _push_price(
    client: stripe.StripeClient,
    meter: stripe.billing.Meter,
    metered: tuple[str, str],
    *,
    found: stripe.Price | None,
    result: PushResult,
    at: datetime,
) -> None:
    product, currency = metered
    key = meter_product_id(product, currency)
    put_product(
        client,
        key=key,
        name=metered_line_name(product),
        description=metered_line_note(currency),
        unit_label=minor_unit(currency),
        metadata={"quaestor_product": product},
        result=result,
    )
    wanted = wanted_meter_price(meter.id, product, currency)
    there, was_touched = put_price(client, wanted=wanted, found=found, result=result)
    known = StripeMeter.objects.filter(event_name=meter.event_name).first()
    if known is not None and (known.meter_id, known.price_id) == (meter.id, there.id) and not was_touched:
        result.unchanged.append(wanted["lookup_key"])
        return
    _remember(meter, metered, there, at)
    if wanted["lookup_key"] not in result.created:
        result.adopted.append(wanted["lookup_key"])


def _remember(meter: stripe.billing.Meter, metered: tuple[str, str], price: stripe.Price, at: datetime) -> None:
    product, currency = metered
    values = {"product": product, "currency": currency, "meter_id": meter.id, "price_id": price.id}
    StripeMeter.objects.update_or_create(
        event_name=meter.event_name, defaults={**values, "is_active": True, "pushed_at": at}
    )
