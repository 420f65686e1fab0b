"""The plans page: what each plan on offer costs and includes, and the account's own as it was agreed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from billing.console.feature_texts import denied_models_text, entitlement_text, meter_text, product_name
from billing.plans.features import FEATURES
from billing.plans.models import Entitlement, PlanVersion
from billing.plans.queries import ListedModel, listed_models
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.offers import offers_to

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
    """A plan in its published version; the account's own in the version that it subscribed to."""

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
    """`current_version` is the one that the account is on, `newer_version` what new subscribers of its plan get."""

    current_plan_slug: str
    current_version: int
    newer_version: int | None
    families: Sequence[PlanFamily]


def plans_page(account: BillingAccount, at: datetime) -> PlansPage:
    """The public plans, and the account's own if it is hidden."""
    offers, models = offers_to(account.id, at), listed_models(at)
    slug, number = (offers.current.plan.slug, offers.current.number) if offers.current else ("", 0)
    families = [
        PlanFamily(_family_name(catalogue), [_card(version, models) for version in group])
        for catalogue, group in groupby(offers.plans, key=lambda version: version.plan.catalogue)
    ]
    families.sort(key=lambda family: all(plan.slug != slug for plan in family.plans))
    return PlansPage(slug, number, offers.newer_number, families)


def _family_name(catalogue: str) -> str:
    return _FAMILY_NAMES.get(catalogue, catalogue.replace("-", " ").capitalize())


def _card(version: PlanVersion, models: Sequence[ListedModel]) -> PlanCard:
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
        rows=_rows(version, models),
        meters=[
            FeatureRow(product_name(meter.product), meter_text(meter, version.currency))
            for meter in version.meters.all()
        ],
    )


def _rows(version: PlanVersion, models: Sequence[ListedModel]) -> list[FeatureRow]:
    entitlements = {row.feature: row for row in version.entitlements.all()}
    texts = [
        (FEATURES[code].name, _text(entitlements[code], version.currency, models))
        for code in FEATURES
        if code in entitlements
    ]
    return [FeatureRow(label, text) for label, text in texts if text]


def _text(row: Entitlement, currency: str, models: Sequence[ListedModel]) -> str:
    if row.feature == "denied_models":
        return denied_models_text(row.value or [], models)
    return entitlement_text(row, currency)
