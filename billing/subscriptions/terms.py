"""What an account's plan means at an instant: limits, who pays for usage, unit prices, periods. Plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing.core.periods import Period, day_containing, period_containing
from billing.plans.features import FEATURES, FeatureKind
from billing.pricing.units import UnitPrice

_NUMBERS = frozenset(
    {
        FeatureKind.COUNTER_PERIOD,
        FeatureKind.COUNTER_DAY,
        FeatureKind.GAUGE,
        FeatureKind.CONCURRENCY,
        FeatureKind.LARGEST,
        FeatureKind.AMOUNT_DAY,
        FeatureKind.BOUND,
    }
)


@dataclass(frozen=True, slots=True)
class Limit:
    """The effective value of one feature; None is unlimited. `source` is `plan:<slug>`, `override`, or the customer's
    own `cap`."""

    value: Any
    source: str
    throttle_after: int | None = None
    throttle_per_minute: int | None = None

    @property
    def number(self) -> Decimal | None:
        return None if self.value is None else Decimal(str(self.value))


@dataclass(frozen=True, slots=True)
class Meter:
    """What a unit of a product costs under the plan."""

    unit: str
    price: UnitPrice


@dataclass(frozen=True, slots=True)
class Overage:
    """What an execution past the limit costs, and the most that a period may cost (P8). In the account's currency."""

    price: Decimal
    ceiling: Decimal


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """An account's terms, as read at one version number of the account; good from `valid_from` to `valid_until`.

    `own_keys` is the account's own switch for its tenant's provider keys (K11); `overage` is None unless the customer
    has opted in and the plan sells executions; `burn_alerts` is whether the customer wants them.
    """

    account_id: UUID
    tenant_id: UUID
    version: int
    currency: str
    credits_id: UUID
    receivable_id: UUID
    plan_slug: str
    plan_name: str
    usage_funding: str
    credential_policy: str
    own_keys: bool
    anchor: datetime
    valid_from: datetime
    valid_until: datetime | None
    limits: Mapping[str, Limit]
    meters: Mapping[str, Meter]
    overage: Overage | None = None
    burn_alerts: bool = True

    def covers(self, at: datetime) -> bool:
        """Whether these are the terms at an instant."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)

    def limit(self, feature: str) -> Limit:
        """The limit of a feature; unlimited where the plan does not speak of it."""
        return self.limits.get(feature) or Limit(None, f"plan:{self.plan_slug}")

    def period(self, at: datetime) -> Period:
        """The billing period that an instant falls into (P5)."""
        return period_containing(self.anchor, at)

    def window(self, feature: str, at: datetime) -> Period:
        """The window that a counter counts in: a UTC day or the billing period."""
        daily = FEATURES[feature].kind in {FeatureKind.COUNTER_DAY, FeatureKind.AMOUNT_DAY}
        return day_containing(at) if daily else self.period(at)


def is_number(feature: str) -> bool:
    """Whether values of the feature are counted or measured."""
    return feature in FEATURES and FEATURES[feature].kind in _NUMBERS
