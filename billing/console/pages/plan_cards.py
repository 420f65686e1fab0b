"""Plans as customers compare them: prices with what they save, and features in words."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.console.feature_texts import denied_models_text, entitlement_text, meter_text, product_name
from billing.plans.features import FEATURES
from billing.plans.models import Entitlement, PlanPrice, PlanVersion
from billing.plans.queries import ListedModel

_MONTHS = 12
_INTERVALS = (PlanPrice.Interval.MONTHLY, PlanPrice.Interval.YEARLY)
_VARIANTS = (PlanPrice.Variant.STANDARD, PlanPrice.Variant.BYOK)


@dataclass(frozen=True, slots=True)
class PriceRow:
    """The price of one interval and variant, in `currency`.

    `yearly_saving` is against twelve monthly payments, `own_keys_saving` against the platform's keys for as long; both
    are zero where nothing is saved.
    """

    interval: str
    variant: str
    amount: Decimal
    currency: str
    per_seat: bool
    yearly_saving: Decimal
    own_keys_saving: Decimal

    @property
    def yearly_percent(self) -> int:
        return _percent(self.yearly_saving, self.amount)

    @property
    def own_keys_percent(self) -> int:
        return _percent(self.own_keys_saving, self.amount)

    @property
    def terms(self) -> str:
        """What the button below the price sends."""
        return f"{self.interval}-{self.variant}"


@dataclass(frozen=True, slots=True)
class PriceCell:
    """One of the four combinations that the page switches between; `price` is None where none is offered."""

    interval: str
    variant: str
    price: PriceRow | None


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
    is_free: bool
    own_keys_only: bool
    prices: Sequence[PriceRow]
    rows: Sequence[FeatureRow]
    meters: Sequence[FeatureRow]

    @property
    def cells(self) -> list[PriceCell]:
        """The four combinations in the order of the page."""
        return [
            PriceCell(interval, variant, self._offered(interval, variant))
            for interval in _INTERVALS
            for variant in _VARIANTS
        ]

    @property
    def per_seat(self) -> bool:
        return any(price.per_seat for price in self.prices)

    def price(self, interval: str, variant: str) -> PriceRow | None:
        """The price of exactly this interval and variant."""
        return next((row for row in self.prices if (row.interval, row.variant) == (interval, variant)), None)

    def _offered(self, interval: str, variant: str) -> PriceRow | None:
        """A plan that costs nothing, or runs on own keys only, has the same price whatever is switched."""
        if self.is_free:
            return self.price(PlanPrice.Interval.MONTHLY, variant) or self.prices[0]
        return self.price(interval, PlanPrice.Variant.STANDARD if self.own_keys_only else variant)


def plan_card(version: PlanVersion, models: Sequence[ListedModel]) -> PlanCard:
    """A loaded version as a card. `models` are those on offer, for what the plan leaves out."""
    plan, amounts = version.plan, {(row.interval, row.variant): row.amount for row in version.prices.all()}
    return PlanCard(
        slug=plan.slug,
        name=plan.name,
        version=version.number,
        description=plan.description,
        is_custom=plan.is_custom,
        is_free=not plan.is_custom and not any(amounts.values()),
        own_keys_only=version.credential_policy == PlanVersion.CredentialPolicy.BYOK_ONLY,
        prices=[_price(row, amounts, version.currency) for row in version.prices.all()],
        rows=_rows(version, models),
        meters=[
            FeatureRow(product_name(meter.product), meter_text(meter, version.currency))
            for meter in version.meters.all()
        ],
    )


def best_saving(cards: Iterable[PlanCard], percent: Callable[[PriceRow], int]) -> int:
    """The most that any price saves; zero where none does."""
    return max((percent(price) for card in cards for price in card.prices), default=0)


def _percent(saving: Decimal, amount: Decimal) -> int:
    """Of what it would cost otherwise; rounded down, so that it never promises more."""
    return int(saving * 100 / (saving + amount)) if saving else 0


def _price(row: PlanPrice, amounts: dict[tuple[str, str], Decimal], currency: str) -> PriceRow:
    monthly = amounts.get((PlanPrice.Interval.MONTHLY, row.variant))
    standard = amounts.get((row.interval, PlanPrice.Variant.STANDARD))
    yearly = row.interval == PlanPrice.Interval.YEARLY
    return PriceRow(
        row.interval,
        row.variant,
        row.amount,
        currency,
        row.per_seat,
        yearly_saving=_saving(monthly * _MONTHS if monthly is not None and yearly else None, row.amount),
        own_keys_saving=_saving(standard, row.amount),
    )


def _saving(usual: Decimal | None, amount: Decimal) -> Decimal:
    return max(usual - amount, Decimal(0)) if usual is not None else Decimal(0)


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
