from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from billing.core.periods import month_anchor
from billing.plans.models import PlanPrice, PlanVersion
from billing.subscriptions.errors import UnknownPlan
from billing.subscriptions.models import BillingAccount, Subscription


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
    Raises UnknownPlan where no version is published.
    """
    account = BillingAccount.objects.select_for_update().get(id=account_id)
    version = PlanVersion.objects.filter(plan__slug=plan_slug, state=PlanVersion.State.PUBLISHED).first()
    if version is None:
        raise UnknownPlan(f"No version of the plan “{plan_slug}” is published.")
    Subscription.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at), account=account, starts_at__lt=at).update(
        ends_at=at
    )
    is_paid = version.prices.filter(amount__gt=0).exists()
    return Subscription.objects.create(
        account=account,
        plan_version=version,
        interval=interval,
        variant=variant,
        seats=seats,
        anchor=at if is_paid else month_anchor(account.signed_up_at),
        starts_at=at,
    )
