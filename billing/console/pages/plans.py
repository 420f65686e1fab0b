"""The plans page: what each published plan costs and includes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from billing.console.feature_texts import entitlement_text, meter_text, product_name
from billing.plans.features import FEATURES
from billing.plans.models import PlanVersion
from billing.plans.queries import published_plans
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import subscription_at

_FAMILY_NAMES = {
    "tiers": "Tiers",
    "credits": "Credits",
    "tokens": "Token allowances",
    "platform": "Platform fee, on your own keys",
}


@dataclass(frozen=True, slots=True)
class PriceRow:
    """The price of one interval and variant."""

    interval: str
    variant: str
    amount: Decimal
    currency: str
    per_seat: bool


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """One thing that a plan includes, in words."""

    label: str
    value_text: str


@dataclass(frozen=True, slots=True)
class PlanCard:
    """A plan in its published version."""

    slug: str
    name: str
    version: int
    description: str
    is_custom: bool
    prices: Sequence[PriceRow]
    rows: Sequence[FeatureRow]
    meters: Sequence[FeatureRow]


@dataclass(frozen=True, slots=True)
class PlanFamily:
    """Plans that a customer chooses among."""

    name: str
    plans: Sequence[PlanCard]


@dataclass(frozen=True, slots=True)
class PlansPage:
    """`current_version` is the one that the account is on: a later one may be published."""

    current_plan_slug: str
    current_version: int
    families: Sequence[PlanFamily]


def plans_page(account: BillingAccount, at: datetime) -> PlansPage:
    """The public plans, and the account's own if it is hidden."""
    slug, number = _current(account, at)
    versions = [version for version in published_plans() if version.plan.is_public or version.plan.slug == slug]
    families = [
        PlanFamily(_FAMILY_NAMES.get(catalogue, catalogue.replace("-", " ").capitalize()), list(map(_card, group)))
        for catalogue, group in groupby(versions, key=lambda version: version.plan.catalogue)
    ]
    families.sort(key=lambda family: all(plan.slug != slug for plan in family.plans))
    return PlansPage(slug, number, families)


def _current(account: BillingAccount, at: datetime) -> tuple[str, int]:
    try:
        version = subscription_at(account.id, at).plan_version
    except NoActivePlan:
        return "", 0
    return version.plan.slug, version.number


def _card(version: PlanVersion) -> PlanCard:
    plan = version.plan
    return PlanCard(
        slug=plan.slug,
        name=plan.name,
        version=version.number,
        description=plan.description,
        is_custom=plan.is_custom,
        prices=[
            PriceRow(price.interval, price.variant, price.amount, version.currency, price.per_seat)
            for price in version.prices.all()
        ],
        rows=_rows(version),
        meters=[
            FeatureRow(product_name(meter.product), meter_text(meter, version.currency))
            for meter in version.meters.all()
        ],
    )


def _rows(version: PlanVersion) -> list[FeatureRow]:
    entitlements = {row.feature: row for row in version.entitlements.all()}
    texts = [
        (FEATURES[code].name, entitlement_text(entitlements[code], version.currency))
        for code in FEATURES
        if code in entitlements
    ]
    return [FeatureRow(label, text) for label, text in texts if text]
