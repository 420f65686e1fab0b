from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.notifications.event_types import EventType
from billing.notifications.queries import written_time
from billing.notifications.services.publish_events import Fact, account_data, publish_events
from billing.subscriptions.agreements import grace, latest_subscription
from billing.subscriptions.models import BillingAccount, SubscriptionChange

Change = SubscriptionChange.Change


@transaction.atomic
def tell_of_subscriptions(*, at: datetime, limit: int = 100) -> int:
    """Tell tenants' programs of plans that have changed, each change once and in their order (N1); answers how many.

    Read and marked in one transaction with the events. A second worker waits: it must not overtake.
    """
    untold = SubscriptionChange.objects.select_for_update(of=("self",)).filter(told_at=None)
    changes = list(untold.order_by("id").select_related("plan_version__plan", "previous_version__plan")[:limit])
    accounts = BillingAccount.objects.in_bulk({change.account_id for change in changes})
    publish_events([_fact(change, accounts[change.account_id]) for change in changes], at=at)
    SubscriptionChange.objects.filter(id__in=[change.id for change in changes]).update(told_at=at)
    return len(changes)


def _fact(change: SubscriptionChange, account: BillingAccount) -> Fact:
    version, previous = change.plan_version, change.previous_version
    data: dict[str, Any] = {
        "account": account_data(account),
        "change": change.change,
        "plan": version.plan.slug if version is not None else _present_plan(account.id),
        "previous_plan": previous.plan.slug if previous is not None else None,
        "seats": change.seats,
        "ends_at": _ends_at(change),
    }
    return Fact(
        tenant_id=account.tenant_id,
        type=EventType.SUBSCRIPTION_CHANGED,
        object_id=encode_id("acc", account.id),
        key=f"subscription-change:{change.id}",
        data=data,
        occurred_at=change.at,
    )


def _present_plan(account_id: UUID) -> str | None:
    """What follows a plan that ended is known only afterwards."""
    present = latest_subscription(account_id)
    return present.plan_version.plan.slug if present is not None else None


def _ends_at(change: SubscriptionChange) -> str | None:
    """When the plan is lost: as it was cancelled, or unless the payment arrives until then (S8)."""
    if change.change == Change.PAST_DUE:
        return written_time(change.at + grace())
    return written_time(change.ends_at) if change.ends_at is not None else None
