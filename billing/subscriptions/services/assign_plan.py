from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.plans.models import PlanPrice
from billing.subscriptions.errors import AgreementGoverns, NoActivePlan, PlanUnchanged
from billing.subscriptions.models import BillingAccount, Subscription
from billing.subscriptions.queries import governing_agreement, subscription_at
from billing.subscriptions.services.record_plan_change import record_plan_change
from billing.subscriptions.services.subscribe import subscribe
from tenants.services.record_audit import Actor


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

    Raises what `subscribe` raises, PlanUnchanged for what the account has already (a second click changes nothing), and
    AgreementGoverns where the account pays for its plan: the next look at the payment processor would undo the change.
    """
    BillingAccount.objects.select_for_update().get(id=account_id)
    governing = governing_agreement(account_id)
    if governing is not None:
        raise AgreementGoverns(
            f"The account pays for {governing.plan_version} by its subscription {governing.external_id}: change or "
            "cancel that one first, here it would be overruled."
        )
    former = _subscription(account_id, at)
    subscription = subscribe(
        account_id=account_id, plan_slug=plan_slug, at=at, interval=interval, variant=variant, seats=seats
    )
    if former is not None and _terms(former) == _terms(subscription):
        raise PlanUnchanged(f"The account is on {former.plan_version} on these terms already.")
    record_plan_change(former=former, present=subscription, actor=actor, at=at)
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
