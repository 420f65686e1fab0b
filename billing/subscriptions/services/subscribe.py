from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from billing.core.periods import month_anchor
from billing.plans.models import PlanPrice, PlanVersion
from billing.subscriptions.errors import ChangeAhead
from billing.subscriptions.models import BillingAccount, Subscription
from billing.subscriptions.queries import offered_version


@transaction.atomic
def subscribe(
    *,
    account_id: UUID,
    plan_slug: str,
    at: datetime,
    interval: PlanPrice.Interval = PlanPrice.Interval.MONTHLY,
    variant: PlanPrice.Variant = PlanPrice.Variant.STANDARD,
    seats: int = 1,
) -> Subscription:
    """Put the account on the published version of a plan from `at` on, ending what it had.

    A plan that costs something is anchored to `at`, a free one to the day of month that the account signed up on (P5).
    Raises UnknownPlan where no version is published or it has no such price (P2), ValueError for less than one seat,
    ChangeAhead where another subscription begins at `at` or later.
    """
    if seats < 1:
        raise ValueError("A subscription has one seat or more.")
    account = BillingAccount.objects.select_for_update().get(id=account_id)
    version = offered_version(plan_slug=plan_slug, interval=interval, variant=variant)
    subscriptions = Subscription.objects.filter(account=account)
    ahead = subscriptions.filter(starts_at__gte=at).order_by("starts_at").first()
    if ahead is not None:
        raise ChangeAhead(f"The account goes to {ahead.plan_version} on {ahead.starts_at:%Y-%m-%d %H:%M} UTC already.")
    subscriptions.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at)).update(ends_at=at)
    return Subscription.objects.create(
        account=account,
        plan_version=version,
        interval=interval,
        variant=variant,
        seats=seats,
        anchor=anchor_on(version, signed_up_at=account.signed_up_at, at=at),
        starts_at=at,
    )


def anchor_on(version: PlanVersion, *, signed_up_at: datetime, at: datetime) -> datetime:
    """The anchor of a subscription to the version that begins at `at`."""
    is_paid = version.prices.filter(amount__gt=0).exists()
    return at if is_paid else month_anchor(signed_up_at)
