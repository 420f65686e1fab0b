"""What a catalogue says, as plain frozen values; no Django, so that files are checked without a database."""

import hashlib
import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from enum import StrEnum

EntitlementValue = int | bool | str | Decimal | tuple[str, ...] | None


class Interval(StrEnum):
    MONTHLY = "monthly"
    YEARLY = "yearly"


class Variant(StrEnum):
    STANDARD = "standard"
    BYOK = "byok"


class UsageFunding(StrEnum):
    """Who pays for model usage on the platform's keys: the plan's fee, or the account's credits."""

    INCLUDED = "included"
    CREDITS = "credits"


class CredentialPolicy(StrEnum):
    """Whose provider keys a plan runs on: the platform's unless the tenant brings its own, or only the tenant's."""

    PLATFORM = "platform"
    BYOK_ONLY = "byok_only"


@dataclass(frozen=True, slots=True)
class PriceSpec:
    """A subscription price in the catalogue's currency for one interval, per seat or flat."""

    interval: Interval
    variant: Variant
    amount: Decimal
    per_seat: bool


@dataclass(frozen=True, slots=True)
class EntitlementSpec:
    """What a plan grants of one feature; None is unlimited.

    `per_seat` multiplies both `value` and `throttle_after` by the subscription's seats. Past `throttle_after` the
    account is slowed to `throttle_per_minute` a minute (P7).
    """

    feature: str
    value: EntitlementValue
    per_seat: bool = False
    throttle_after: int | None = None
    throttle_per_minute: int | None = None

    @property
    def json_value(self) -> int | bool | str | list[str] | None:
        """The value as JSON carries it: an amount is a string, never a float."""
        if isinstance(self.value, Decimal):
            return str(self.value)
        return list(self.value) if isinstance(self.value, tuple) else self.value


@dataclass(frozen=True, slots=True)
class MeterSpec:
    """Price of one unit of a metered product in the catalogue's currency, past `included` units a period."""

    product: str
    unit: str
    unit_price: Decimal
    included: Decimal


@dataclass(frozen=True, slots=True)
class PlanSpec:
    """One plan of a catalogue, as its next version is to be."""

    slug: str
    name: str
    description: str
    position: int
    is_public: bool
    is_custom: bool
    usage_funding: UsageFunding
    credential_policy: CredentialPolicy
    default: bool
    prices: tuple[PriceSpec, ...]
    entitlements: tuple[EntitlementSpec, ...]
    meters: tuple[MeterSpec, ...]

    @property
    def is_free(self) -> bool:
        return bool(self.prices) and not any(price.amount for price in self.prices)

    @property
    def byok_enabled(self) -> bool:
        return any(e.feature == "byok_enabled" and e.value is True for e in self.entitlements)

    def digest(self, *, currency: str) -> str:
        """SHA-256 in hex of what the plan says in this currency.

        Loading compares it with the published version's: equal means nothing to do, anything else is a new version
        (P1). The order of prices, entitlements and meters, and trailing zeros, do not count.
        """
        content = asdict(self) | {
            "currency": currency,
            "prices": sorted(_canonical(asdict(price)) for price in self.prices),
            "entitlements": sorted(_canonical(asdict(entitlement)) for entitlement in self.entitlements),
            "meters": sorted(_canonical(asdict(meter)) for meter in self.meters),
        }
        return hashlib.sha256(_canonical(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A set of plans that are offered together, in one currency. `plans` has exactly one default, free of charge."""

    slug: str
    name: str
    currency: str
    plans: tuple[PlanSpec, ...]


def _canonical(content: dict[str, object]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    raise TypeError(f"{type(value).__name__} has no canonical form")
