from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.plans.models import PlanPrice
from billing.subscriptions.errors import NoActivePlan, PlanUnchanged
from billing.subscriptions.models import BillingAccount, Subscription
from billing.subscriptions.queries import subscription_at
from billing.subscriptions.services.subscribe import subscribe
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def assign_plan(
    *,
    account_id: UUID,
    plan_slug: str,
    interval: PlanPrice.Interval,
    variant: PlanPrice.Variant,
    seats: int,
    at: datetime,
    actor: Actor,
) -> Subscription:
    """Put an account on a plan's published version by staff's hand, from `at` on, without proration.

    Raises what `subscribe` raises, and PlanUnchanged for what the account has already: a second click changes nothing.
    """
    account = BillingAccount.objects.select_for_update().get(id=account_id)
    former = _subscription(account_id, at)
    subscription = subscribe(
        account_id=account_id, plan_slug=plan_slug, at=at, interval=interval, variant=variant, seats=seats
    )
    if former is not None and _terms(former) == _terms(subscription):
        raise PlanUnchanged(f"The account is on {former.plan_version} on these terms already.")
    record_audit(
        tenant_id=account.tenant_id,
        actor=actor,
        action="plan.changed",
        target=encode_id("acc", account_id),
        at=at,
        detail={"from": _detail(former), "to": _detail(subscription)},
    )
    return subscription


def _subscription(account_id: UUID, at: datetime) -> Subscription | None:
    try:
        return subscription_at(account_id, at)
    except NoActivePlan:
        return None


def _terms(subscription: Subscription) -> tuple[UUID, str, str, int]:
    return (
        subscription.plan_version_id,
        subscription.interval,
        subscription.variant,
        subscription.seats,
    )


def _detail(subscription: Subscription | None) -> dict[str, str | int] | None:
    if subscription is None:
        return None
    _, interval, variant, seats = _terms(subscription)
    return {"plan": str(subscription.plan_version), "interval": interval, "variant": variant, "seats": seats}
