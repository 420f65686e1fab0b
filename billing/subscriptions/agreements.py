"""What agreements with the payment processor mean for an account's plan."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from billing.subscriptions.models import Agreement, Subscription
from billing.subscriptions.state import PlanTerms


def latest_subscription(account_id: UUID) -> Subscription | None:
    """The subscription that the account is on from now on, its plan and agreement with it; one query."""
    subscriptions = Subscription.objects.filter(account_id=account_id).order_by("-starts_at")
    return subscriptions.select_related("plan_version__plan", "agreement").first()


def grace() -> timedelta:
    """How long a paid plan outlives the first renewal that was not paid (S8)."""
    return timedelta(days=settings.DUNNING_GRACE_DAYS)


def grace_ends_at(agreement: Agreement) -> datetime | None:
    """When an agreement whose payment is overdue stops giving its plan; None for one that is not overdue (S8)."""
    if agreement.status != Agreement.Status.PAST_DUE or agreement.past_due_since is None:
        return None
    return agreement.past_due_since + grace()


def gives_plan(agreement: Agreement, at: datetime) -> bool:
    """Whether the account may have the agreement's plan: it is live, and not overdue for longer than the grace (S8)."""
    ends_at = grace_ends_at(agreement)
    return agreement.status in Agreement.LIVE and (ends_at is None or at < ends_at)


def terms_of_subscription(subscription: Subscription) -> PlanTerms:
    """What a subscription has in common with whatever else could put the account on the same terms."""
    return PlanTerms(
        plan_version_id=subscription.plan_version_id,
        interval=subscription.interval,
        variant=subscription.variant,
        seats=subscription.seats,
        anchor=subscription.anchor,
        agreement_id=subscription.agreement_id,
    )


def terms_of_agreement(agreement: Agreement) -> PlanTerms:
    """The terms that an agreement gives."""
    return PlanTerms(
        plan_version_id=agreement.plan_version_id,
        interval=agreement.interval,
        variant=agreement.variant,
        seats=agreement.seats,
        anchor=agreement.anchor,
        agreement_id=agreement.id,
    )
