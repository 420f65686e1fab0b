from datetime import datetime
from uuid import UUID

from billing.core.problems import Problem, problem
from billing.plans.models import PlanPrice, PlanVersion
from billing.stripe_sync.changes import Target, Toggled
from billing.stripe_sync.plan_offers import price_point
from billing.stripe_sync.planned_change import planned_change
from billing.stripe_sync.services.change_subscription import change_subscription
from billing.stripe_sync.services.preview_change import nothing_due, preview_change
from billing.subscriptions.agreements import latest_subscription
from billing.subscriptions.models import Agreement, Subscription
from billing.subscriptions.queries import governing_agreement
from billing.subscriptions.services.use_own_keys import use_own_keys
from tenants.services.record_audit import Actor


def toggle_byok(*, account_id: UUID, enabled: bool, actor: Actor, at: datetime) -> Toggled:
    """Switch the account's plan to its price on own provider keys, or back, prorated (K11); once more changes nothing.

    Runs follow once the price is changed, or was so already: on, they use own keys where they are assigned.

    Raises Problem: no-active-plan, plan-without-byok where the plan has no such price, nothing-to-change for one that
    runs on own keys only, and what `change_subscription` raises.
    """
    current = governing_agreement(account_id) or latest_subscription(account_id)
    if current is None:
        raise problem("no-active-plan", "The account has no plan.", remedy="Choose a plan.")
    if current.plan_version.credential_policy == PlanVersion.CredentialPolicy.BYOK_ONLY:
        raise problem("nothing-to-change", "This plan runs on own provider keys only; there is nothing to switch.")
    try:
        toggled = _toggle(account_id, _target(current, enabled), enabled=enabled, actor=actor, at=at)
    except Problem as refusal:
        if refusal.code != "not-found":
            raise
        whose, plan = "own" if enabled else "our", current.plan_version.plan.name
        raise problem(
            "plan-without-byok",
            f"The plan “{plan}” has no price for {whose} provider keys.",
            remedy="Choose a plan that has one.",
        ) from None
    use_own_keys(account_id=account_id, enabled=enabled, actor=actor, at=at)
    return toggled


def _target(current: Agreement | Subscription, enabled: bool) -> Target:
    variant = PlanPrice.Variant.BYOK if enabled else PlanPrice.Variant.STANDARD
    return Target(current.plan_version.plan.slug, current.interval, variant, current.seats)


def _toggle(account_id: UUID, target: Target, *, enabled: bool, actor: Actor, at: datetime) -> Toggled:
    planned = planned_change(account_id, target)
    point = price_point(planned.price, planned.seats)
    if planned.is_made:
        return Toggled(enabled, point, nothing_due(planned, next_at=None))
    preview = preview_change(account_id=account_id, target=target, at=at)
    change_subscription(account_id=account_id, target=target, expected=preview.expected, actor=actor, at=at)
    return Toggled(enabled, point, preview)
