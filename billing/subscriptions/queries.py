"""Reading accounts and what their plans mean."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from billing.plans.features import FEATURES
from billing.plans.models import Entitlement, PlanVersion
from billing.pricing.units import Tier, UnitPrice
from billing.subscriptions.errors import NoActivePlan, UnknownPlan
from billing.subscriptions.models import (
    Agreement,
    BillingAccount,
    EntitlementOverride,
    SpendControls,
    Subscription,
)
from billing.subscriptions.own_caps import overage_of, with_own_caps
from billing.subscriptions.terms import AccountTerms, Limit, Meter, is_number


def account_of_workspace(workspace_id: UUID) -> BillingAccount:
    """The account that pays for a workspace; raises BillingAccount.DoesNotExist where none does."""
    return BillingAccount.objects.get(workspace_links__workspace_id=workspace_id)


def default_account(tenant_id: UUID) -> BillingAccount:
    """The tenant's default account; raises BillingAccount.DoesNotExist where there is none."""
    return BillingAccount.objects.get(tenant_id=tenant_id, is_default=True)


def subscription_at(account_id: UUID, at: datetime) -> Subscription:
    """The account's subscription at an instant, its plan with it; raises NoActivePlan."""
    subscription = (
        Subscription.objects.filter(
            Q(ends_at__isnull=True) | Q(ends_at__gt=at), account_id=account_id, starts_at__lte=at
        )
        .select_related("plan_version__plan")
        .first()
    )
    if subscription is None:
        raise NoActivePlan(f"Account {account_id} has no subscription at {at:%Y-%m-%d %H:%M} UTC.")
    return subscription


def subscription_starts(account_id: UUID) -> list[datetime]:
    """When each subscription that the account ever had began, in order."""
    starts = Subscription.objects.filter(account_id=account_id).order_by("starts_at")
    return list(starts.values_list("starts_at", flat=True))


def governing_agreement(account_id: UUID) -> Agreement | None:
    """The live agreement that the account's plan follows, its plan with it; one query."""
    agreements = Agreement.objects.filter(account_id=account_id, governs=True)
    return agreements.select_related("plan_version__plan").first()


def spend_controls(account_id: UUID) -> SpendControls:
    """What the customer caps and allows; where nothing was set an unsaved row of what holds then: alerts, no more."""
    return SpendControls.objects.filter(account_id=account_id).first() or SpendControls(account_id=account_id)


def terms_of(account_id: UUID, at: datetime) -> AccountTerms:
    """The account's terms at an instant, in five queries; raises NoActivePlan.

    The version number is read first: whatever changes while the rest is read raises it, and the decision that carries
    the older number is refused.
    """
    account = BillingAccount.objects.select_related("controls").get(id=account_id)
    controls = getattr(account, "controls", None)
    subscription = subscription_at(account_id, at)
    version = subscription.plan_version
    limits = with_own_caps(effective_limits(account.id, version, subscription.seats), controls)
    meters = _meters_of(version)
    return AccountTerms(
        account_id=account.id,
        tenant_id=account.tenant_id,
        version=account.version,
        currency=account.currency,
        credits_id=account.credits_id,
        receivable_id=account.receivable_id,
        plan_slug=version.plan.slug,
        plan_name=version.plan.name,
        usage_funding=version.usage_funding,
        credential_policy=version.credential_policy,
        own_keys=account.own_keys,
        anchor=subscription.anchor,
        valid_from=subscription.starts_at,
        valid_until=subscription.ends_at,
        limits=limits,
        meters=meters,
        overage=overage_of(limits, meters, controls),
        burn_alerts=controls is None or controls.burn_alerts,
    )


def _meters_of(version: PlanVersion) -> dict[str, Meter]:
    return {
        meter.product: Meter(
            meter.unit, UnitPrice((Tier(None, meter.unit_price),), "graduated", included=meter.included)
        )
        for meter in version.meters.all()
    }


def offered_version(*, plan_slug: str, interval: str, variant: str) -> PlanVersion:
    """The published version of a plan, if it has a price for this interval and variant; raises UnknownPlan.

    A custom plan's prices are agreed with the customer. A plan that costs nothing has no interval to choose.
    """
    versions = PlanVersion.objects.filter(plan__slug=plan_slug, state=PlanVersion.State.PUBLISHED)
    version = versions.select_related("plan").first()
    if version is None:
        raise UnknownPlan(f"No version of the plan “{plan_slug}” is published.")
    prices = version.prices.filter(variant=variant)
    if version.prices.filter(amount__gt=0).exists():
        prices = prices.filter(interval=interval)
    if not version.plan.is_custom and not prices.exists():
        raise UnknownPlan(f"The plan “{plan_slug}” has no {interval} price for the variant {variant}.")
    return version


def effective_limits(account_id: UUID, version: PlanVersion, seats: int) -> dict[str, Limit]:
    """What an account has of each feature on a version with a number of seats, staff's exceptions included."""
    source = f"plan:{version.plan.slug}"
    limits = {row.feature: _plan_limit(row, seats, source) for row in version.entitlements.all()}
    for override in EntitlementOverride.objects.filter(account_id=account_id):
        # An exception replaces the whole limit, the plan's throttle with it.
        limits[override.feature] = Limit(override.value, "override")
    return {code: limits[code] for code in FEATURES if code in limits}


def _plan_limit(row: Entitlement, seats: int, source: str) -> Limit:
    factor = seats if row.per_seat and is_number(row.feature) else 1
    value = row.value * factor if row.value is not None and factor > 1 else row.value
    after = row.throttle_after * factor if row.throttle_after is not None else None
    return Limit(value, source, after, row.throttle_per_minute)
