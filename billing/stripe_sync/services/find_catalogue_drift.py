from collections.abc import Iterator
from datetime import datetime

from billing.plans.models import PlanPrice
from billing.stripe_sync.catalogue_objects import lookup_key, meter_lookup_key
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.differences import Difference, price_difference
from billing.stripe_sync.models import DriftFinding, StripeMeter
from billing.stripe_sync.services.push_catalogue import paid_versions
from billing.stripe_sync.services.push_meters import wanted_meter_price
from billing.stripe_sync.services.push_version import wanted_price
from billing.stripe_sync.services.record_findings import record_findings
from billing.stripe_sync.stripe_prices import prices_by_key


def find_catalogue_drift(*, at: datetime) -> list[DriftFinding]:
    """Put prices on the drift report that Stripe lacks, has archived, or sells for another amount (S5).

    Answers what is open. Raises StripeNotConfigured, stripe.StripeError.
    """
    return record_findings(account_id=None, differences=list(_differences()), at=at)


def _differences() -> Iterator[Difference]:
    prices = PlanPrice.objects.filter(version__in=paid_versions()).select_related("version__plan")
    wanted = {lookup_key(price): wanted_price(price) for price in prices}
    for meter in StripeMeter.objects.filter(is_active=True):
        key = meter_lookup_key(meter.product, meter.currency)
        wanted[key] = wanted_meter_price(meter.meter_id, meter.product, meter.currency)
    found = prices_by_key(stripe_client(), list(wanted))
    for key, price in wanted.items():
        yield from price_difference(key, found.get(key), price)
