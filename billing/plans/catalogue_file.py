"""Plan catalogues as TOML files: what a file may say, and what it must not leave out (P1-P4).

Numbers with a point are read as `Decimal`. A limit may be `"unlimited"`. An entitlement is a bare value, or a
table where it is multiplied by seats or slowed before it is used up:

    executions_per_month = { value = 25_000, per_seat = true, throttle_after = 15_000, throttle_per_minute = 1 }
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from billing.plans.catalogue_spec import (
    Catalogue,
    CredentialPolicy,
    EntitlementSpec,
    EntitlementValue,
    Interval,
    MeterSpec,
    PlanSpec,
    PriceSpec,
    UsageFunding,
    Variant,
)
from billing.plans.data_table import UNLIMITED, DataFileError, Table, read_text
from billing.plans.features import FEATURES, Feature, FeatureKind

CATALOGUE_FOLDER = Path(__file__).parent / "catalogues"
MONEY_PLACES = 2
RATE_PLACES = 9  # what usage is rated at (M11)

METERED_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "pstn": "minute",
        "kb_storage": "gb_month",
        "callbacks": "callback",
        "compute": "second",
        "requests": "request",
        "executions": "execution",  # the overage past executions_per_month that a tenant opted in to (P8)
    }
)
"""The unit in which each metered product is counted and priced."""

_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_CURRENCY = re.compile(r"[A-Z]{3}")


def shipped_catalogues() -> tuple[Catalogue, ...]:
    """The catalogues that come with the product, by file name. Raises DataFileError."""
    return read_catalogues(sorted(CATALOGUE_FOLDER.glob("*.toml")))


def read_catalogues(paths: Iterable[Path]) -> tuple[Catalogue, ...]:
    """Several files that will live side by side: a plan's slug is unique over all of them. Raises DataFileError."""
    catalogues: list[Catalogue] = []
    seen: dict[str, str] = {}
    for path in paths:
        catalogue = read_catalogue(path)
        for plan in catalogue.plans:
            if plan.slug in seen:
                raise DataFileError(path.name, f"plans[{plan.slug}].slug", f"is taken by {seen[plan.slug]}")
            seen[plan.slug] = path.name
        catalogues.append(catalogue)
    return tuple(catalogues)


def read_catalogue(path: Path) -> Catalogue:
    """One catalogue from a file. Raises DataFileError that names file, table and key."""
    return parse_catalogue(read_text(path), source=path.name)


def parse_catalogue(text: str, *, source: str) -> Catalogue:
    """One catalogue from TOML text; `source` is the name that errors give. Raises DataFileError."""
    try:
        content = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise DataFileError(source, "", f"is not TOML: {error}") from error
    root = Table(content, source=source)
    head = root.table("catalogue")
    catalogue = Catalogue(
        slug=_slug(head),
        name=head.text("name"),
        currency=_matching(head, "currency", _CURRENCY, "must be a currency code of three letters"),
        plans=tuple(_plan(table) for table in root.tables("plans")),
    )
    head.finish()
    root.finish()
    _check_catalogue(catalogue, root)
    return catalogue


def _plan(table: Table) -> PlanSpec:
    slug = _slug(table)
    table.where = f"plans[{slug}]"
    plan = PlanSpec(
        slug=slug,
        name=table.text("name"),
        description=table.text("description"),
        position=table.whole("position"),
        is_public=table.flag("is_public"),
        is_custom=table.flag("is_custom"),
        usage_funding=table.choice("usage_funding", UsageFunding),
        credential_policy=table.choice("credential_policy", CredentialPolicy),
        default=table.flag("default"),
        prices=tuple(_price(price) for price in table.tables("prices")),
        entitlements=_entitlements(table.table("entitlements")),
        meters=_meters(table.table("meters")),
    )
    table.finish()
    _check_prices(plan, table)
    return plan


def _price(table: Table) -> PriceSpec:
    price = PriceSpec(
        interval=table.choice("interval", Interval),
        variant=table.choice("variant", Variant),
        amount=table.decimal("amount", places=MONEY_PLACES),
        per_seat=table.flag("per_seat"),
    )
    table.finish()
    return price


def _entitlements(table: Table) -> tuple[EntitlementSpec, ...]:
    for code in table.names():
        if code not in FEATURES:
            raise table.error(code, "is not a known feature")
    return tuple(_entitlement(table, feature) for code, feature in FEATURES.items() if table.has(code))


def _entitlement(table: Table, feature: Feature) -> EntitlementSpec:
    if not isinstance(table.value(feature.code), dict):
        return EntitlementSpec(feature=feature.code, value=_value(table, feature.code, feature))
    detail = table.table(feature.code)
    value = _value(detail, "value", feature)
    per_seat = detail.flag("per_seat") if detail.has("per_seat") else False
    if per_seat and (value is None or not feature.kind.may_be_unlimited):
        raise detail.error("per_seat", "can only multiply a number")
    after, per_minute = _throttle(detail, feature, value)
    detail.finish()
    return EntitlementSpec(feature.code, value, per_seat, after, per_minute)


def _value(table: Table, key: str, feature: Feature) -> EntitlementValue:
    if feature.kind.may_be_unlimited and table.value(key) == UNLIMITED:
        return None
    if feature.kind.is_whole_number:
        return table.whole(key)
    match feature.kind:
        case FeatureKind.AMOUNT_DAY:
            return table.decimal(key, places=MONEY_PLACES)
        case FeatureKind.SWITCH:
            return table.flag(key)
        case FeatureKind.LIST:
            return table.texts(key)
        case _:
            return table.text(key)


def _throttle(table: Table, feature: Feature, value: EntitlementValue) -> tuple[int | None, int | None]:
    if not table.has("throttle_after") and not table.has("throttle_per_minute"):
        return None, None
    after, per_minute = table.whole("throttle_after"), table.whole("throttle_per_minute", minimum=1)
    if feature.kind is not FeatureKind.COUNTER_PERIOD:
        raise table.error("throttle_after", "is only for what is counted per period")
    if not isinstance(value, int) or after >= value:
        raise table.error("throttle_after", "must be below the limit itself")
    return after, per_minute


def _meters(table: Table) -> tuple[MeterSpec, ...]:
    meters = []
    for product in table.names():
        if product not in METERED_UNITS:
            raise table.error(product, "is not a metered product")
        row = table.table(product)
        unit_price = row.decimal("unit_price", places=RATE_PLACES)
        included = row.decimal("included", places=RATE_PLACES)
        row.finish()
        meters.append(MeterSpec(product, METERED_UNITS[product], unit_price, included))
    return tuple(meters)


def _check_prices(plan: PlanSpec, table: Table) -> None:
    kinds = [(price.interval, price.variant) for price in plan.prices]
    if len(set(kinds)) != len(kinds):
        raise table.error("prices", "give one interval and variant twice")
    if plan.is_custom:
        if plan.prices:
            raise table.error("prices", "of a custom plan are set by staff for each account")
        return
    standard, byok = ({i for i, v in kinds if v is variant} for variant in (Variant.STANDARD, Variant.BYOK))
    if Interval.MONTHLY not in standard:
        raise table.error("prices", "lack the monthly standard price")
    # The BYO toggle changes the variant and keeps the interval (K11), so both must exist; a plan that is BYO only
    # has nothing to toggle and one price.
    toggles = plan.byok_enabled and plan.credential_policy is CredentialPolicy.PLATFORM
    if byok != (standard if toggles else set()):
        raise table.error("prices", "need a byok price for each interval exactly where the plan can toggle BYOK")
    if plan.credential_policy is CredentialPolicy.BYOK_ONLY and not plan.byok_enabled:
        raise table.error("entitlements.byok_enabled", "must be true where only own keys are used")


def _check_catalogue(catalogue: Catalogue, root: Table) -> None:
    plans = catalogue.plans
    if not plans:
        raise root.error("plans", "is empty")
    for key in ("slug", "position"):
        values = [getattr(plan, key) for plan in plans]
        if len(set(values)) != len(values):
            raise root.error("plans", f"give one {key} twice")
    if [plan.is_free for plan in plans if plan.default] != [True]:
        raise root.error("plans", "need exactly one default, and it must cost nothing")
    # Plans are compared side by side: what one of them states, each must state.
    _check_complete(root, "entitlements", {p.slug: {e.feature for e in p.entitlements} for p in plans})
    _check_complete(root, "meters", {p.slug: {m.product for m in p.meters} for p in plans})


def _check_complete(root: Table, key: str, stated: Mapping[str, set[str]]) -> None:
    every = set[str]().union(*stated.values())
    for slug, codes in stated.items():
        missing = sorted(every - codes)
        if missing:
            raise root.error(f"plans[{slug}].{key}.{missing[0]}", "is missing, though other plans state it")


def _slug(table: Table) -> str:
    return _matching(table, "slug", _SLUG, "must be lower-case words joined by hyphens")


def _matching(table: Table, key: str, pattern: re.Pattern[str], problem: str) -> str:
    value = table.text(key)
    if not pattern.fullmatch(value):
        raise table.error(key, problem)
    return value
