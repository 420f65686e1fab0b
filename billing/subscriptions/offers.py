"""Which plans an account can look at: what is on offer, and its own as it was agreed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import prefetch_related_objects

from billing.plans.models import PlanVersion
from billing.plans.queries import published_plans
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import Subscription
from billing.subscriptions.queries import subscription_at


@dataclass(frozen=True, slots=True)
class Offers:
    """`plans` by catalogue and position; the account's own stands in the version that it subscribed to, `current`.

    `subscription` is what it has at present. `newer_number` is the published version of the account's plan where that
    is another one: it is for new subscribers.
    """

    current: PlanVersion | None
    newer_number: int | None
    plans: list[PlanVersion]
    subscription: Subscription | None = None


def offers_to(account_id: UUID | None, at: datetime) -> Offers:
    """The public plans and, even where it is hidden, the account's own; everything of them is loaded.

    Five queries, and three more where the account is on a version that is not published any more.
    """
    subscription = _subscription(account_id, at) if account_id is not None else None
    published = published_plans()
    if subscription is None:
        return Offers(None, None, [version for version in published if version.plan.is_public])
    current = subscription.plan_version
    same = next((version for version in published if version.plan_id == current.plan_id), None)
    if same is not None and same.id == current.id:
        current = same
    else:
        prefetch_related_objects([current], "prices", "entitlements", "meters")
    others = [version for version in published if version.plan.is_public and version.plan_id != current.plan_id]
    newer = same.number if same is not None and same.number != current.number else None
    return Offers(current, newer, sorted([*others, current], key=_place), subscription)


def _subscription(account_id: UUID, at: datetime) -> Subscription | None:
    try:
        return subscription_at(account_id, at)
    except NoActivePlan:
        return None


def _place(version: PlanVersion) -> tuple[str, int, str]:
    return version.plan.catalogue, version.plan.position, version.plan.slug
