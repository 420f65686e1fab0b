"""Catalogues and price lists in memory, small enough to see what changed."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from billing.plans.catalogue_spec import (
    Catalogue,
    CredentialPolicy,
    EntitlementSpec,
    Interval,
    MeterSpec,
    PlanSpec,
    PriceSpec,
    UsageFunding,
    Variant,
)
from billing.plans.price_list_file import ModelSpec, ModelTier, PriceList
from billing.pricing.tokens import TokenRates

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 4, 1, 12, tzinfo=UTC)


def make_plan(slug: str = "zero", *, price: str = "0.00", agents: int | None = 1, **changes: Any) -> PlanSpec:
    plan = PlanSpec(
        slug=slug,
        name=slug.title(),
        description="",
        position=1,
        is_public=True,
        is_custom=False,
        usage_funding=UsageFunding.INCLUDED,
        credential_policy=CredentialPolicy.PLATFORM,
        default=price == "0.00",
        prices=(PriceSpec(Interval.MONTHLY, Variant.STANDARD, Decimal(price), per_seat=False),),
        entitlements=(
            EntitlementSpec("agents_limit", agents),
            EntitlementSpec("executions_per_month", 100, throttle_after=50, throttle_per_minute=1),
            EntitlementSpec("spend_cap_per_user_day", Decimal("1.00")),
            EntitlementSpec("channels", ("webhook", "email")),
        ),
        meters=(MeterSpec("pstn", "minute", Decimal("0.02"), Decimal(0)),),
    )
    return replace(plan, **changes)


def make_catalogue(*plans: PlanSpec, slug: str = "small") -> Catalogue:
    return Catalogue(slug=slug, name="Small", currency="USD", plans=plans or (make_plan(),))


def make_model(model: str = "acme-1", *, rate: str = "2.00", **changes: Any) -> ModelSpec:
    rates = TokenRates(Decimal(rate), Decimal("10.00"), Decimal("0.20"))
    return replace(ModelSpec("acme", model, "Acme 1", ModelTier.STANDARD, 200_000, rates), **changes)


def make_price_list(*models: ModelSpec, source: str = "a list") -> PriceList:
    return PriceList(source, "1", date(2026, 3, 1), "USD", models or (make_model(),))
