"""What an account's change to another plan does, as a table of what differs."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from billing.core.periods import period_containing
from billing.plans.feature_values import show_value
from billing.plans.features import FEATURES
from billing.plans.models import PlanVersion
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import BillingAccount, Subscription
from billing.subscriptions.queries import effective_limits, subscription_at
from billing.subscriptions.services.subscribe import anchor_on
from tenants.staff_admin import show_amount

_ABSENT = "–"
Facts = dict[str, str]


def plan_change(
    *, account_id: UUID, version: PlanVersion, interval: str, variant: str, seats: int, at: datetime
) -> dict[str, list[list[str]] | list[str]]:
    """Headers and rows (name, now, then): the plan, and whatever else would not stay as it is."""
    account = BillingAccount.objects.get(id=account_id)
    chosen = Subscription(
        account=account,
        plan_version=version,
        interval=interval,
        variant=variant,
        seats=seats,
        anchor=anchor_on(version, signed_up_at=account.signed_up_at, at=at),
        starts_at=at,
    )
    then = _facts(chosen, at)
    try:
        before = _facts(subscription_at(account_id, at), at)
    except NoActivePlan:
        before = {}
    rows = [[name, before.get(name, _ABSENT), then.get(name, _ABSENT)] for name in _names(before, then)]
    return {"headers": ["", "Now", "Then"], "rows": [row for row in rows if row[0] == "Plan" or row[1] != row[2]]}


def _names(before: Mapping[str, str], then: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys([*then, *before]))


def _facts(subscription: Subscription, at: datetime) -> Facts:
    version = subscription.plan_version
    facts = {
        "Plan": str(version),
        "Price": _price(subscription),
        "Seats": str(subscription.seats),
        "Model usage": version.get_usage_funding_display(),
        "Provider keys": version.get_credential_policy_display(),
        "Allowances reset": f"{period_containing(subscription.anchor, at).end:%Y-%m-%d}",
    }
    limits = effective_limits(subscription.account_id, version, subscription.seats)
    for code, feature in FEATURES.items():
        if code in limits or feature.kind.may_be_unlimited:  # a plan that does not speak of a limit has none
            facts[feature.name] = _readable(limits[code].value if code in limits else None)
    for meter in version.meters.all():
        facts[f"Price of {meter.product}"] = f"{show_amount(meter.unit_price)} a {meter.unit}"
    return facts


def _readable(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else show_value(value)


def _price(subscription: Subscription) -> str:
    version = subscription.plan_version
    price = version.prices.filter(interval=subscription.interval, variant=subscription.variant).first()
    terms = f"{subscription.interval}, {subscription.variant}"
    if price is None:
        return f"agreed with the customer ({terms})" if version.plan.is_custom else f"0.00 ({terms})"
    amount = price.amount * (subscription.seats if price.per_seat else 1)
    return f"{show_amount(amount)} {version.currency} ({terms})"
