from datetime import datetime

from django.db.models import Exists, OuterRef

from billing.plans.models import PlanPrice, PlanVersion
from billing.stripe_sync.models import StripeMeter
from billing.stripe_sync.services.push_meters import metered_products, push_meters
from billing.stripe_sync.services.push_version import push_version
from billing.stripe_sync.stripe_prices import PushResult


def push_catalogue(*, at: datetime) -> PushResult:
    """Put what customers can buy at Stripe: products, prices, meters; safe to repeat at any time (S1).

    Free plans are not sold there. Each plan is pushed in a transaction of its own, so that an interruption keeps what
    is done. Raises StripeNotConfigured, stripe.StripeError.
    """
    result = PushResult()
    for version in paid_versions():
        result.add(push_version(version_id=version.id, at=at))
    result.add(push_meters(at=at))
    return result


def push_what_is_new(*, at: datetime) -> PushResult:
    """Push published versions and metered products that were never pushed; asks Stripe nothing where there is none."""
    result = PushResult()
    for version in paid_versions():
        if version.prices.filter(stripe_price=None).exists():
            result.add(push_version(version_id=version.id, at=at))
    pushed = set(StripeMeter.objects.filter(is_active=True).values_list("product", "currency"))
    if not pushed.issuperset(metered_products()):
        result.add(push_meters(at=at))
    return result


def paid_versions() -> list[PlanVersion]:
    """The published versions that cost something; where one price does, those of nothing are pushed with it."""
    costs = PlanPrice.objects.filter(version=OuterRef("pk"), amount__gt=0)
    published = PlanVersion.objects.filter(Exists(costs), state=PlanVersion.State.PUBLISHED)
    return list(published.order_by("plan__catalogue", "plan__position").select_related("plan"))
