"""What a plan includes, in words. Pure; reads plain attributes of entitlements and meter prices."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from fnmatch import fnmatchcase

from billing.console.figures import format_bytes, format_count, format_money, format_rate
from billing.plans.features import FEATURES, FeatureKind
from billing.plans.models import Entitlement, MeterPrice
from billing.plans.queries import ListedModel

_PRODUCTS = {
    "llm": "Language models",
    "executions": "Executions past the limit",
    "pstn": "Phone calls",
    "kb_storage": "Knowledge base storage",
    "callbacks": "Scheduled callbacks",
    "compute": "Compute",
    "requests": "Requests",
}

_UNITS = {"gb_month": "GB-month"}
_EXAMPLES = 2


def entitlement_text(row: Entitlement, currency: str) -> str:
    """The value of a feature; empty where it says nothing, such as a list without entries."""
    feature = FEATURES[row.feature]
    if row.value is None:
        return "Unlimited" if feature.kind.may_be_unlimited else ""
    match feature.kind:
        case FeatureKind.SWITCH:
            return "Included" if row.value else "Not included"
        case FeatureKind.LIST:
            return ", ".join(map(str, row.value))
        case FeatureKind.AMOUNT_DAY:
            return format_money(Decimal(row.value), currency)
        case FeatureKind.DURATION:
            return duration_text(timedelta(seconds=row.value))
        case FeatureKind.TEXT:
            return str(row.value)
        case _:
            return _number_text(row, feature.unit)


def denied_models_text(patterns: Sequence[str], models: Iterable[ListedModel]) -> str:
    """How many of the listed models a plan excludes, with two of them; empty where it excludes none of them.

    Patterns are matched as runs are routed: case-sensitively, against the provider's model id.
    """
    denied = [model for model in models if any(fnmatchcase(model.model, pattern) for pattern in patterns)]
    if not denied:
        return ""
    # One of each provider tells more than two of the first.
    by_provider = {model.provider: model.title for model in denied}
    examples = list(dict.fromkeys([*by_provider.values(), *(model.title for model in denied)]))[:_EXAMPLES]
    counted = _counted(len(denied), "model")
    return f"{counted}, such as {', '.join(examples)}" if len(denied) > len(examples) else ", ".join(examples)


def duration_text(duration: timedelta) -> str:
    """Whole days where it is a day or longer, else hours, rounded down: "30 days", "1 year", "12 hours"."""
    days = duration.days
    if days and days % 365 == 0:
        return _counted(days // 365, "year")
    return _counted(days, "day") if days else _counted(duration.seconds // 3600, "hour")


def product_name(product: str) -> str:
    """What customers call a metered product."""
    return _PRODUCTS.get(product, product)


def unit_name(unit: str) -> str:
    """A unit of measure as people write it; its plural has an s."""
    return _UNITS.get(unit, unit)


def meter_text(meter: MeterPrice, currency: str) -> str:
    """A unit's price with all its decimals, and what comes before it."""
    price = f"{format_rate(meter.unit_price, currency)} per {unit_name(meter.unit)}"
    return f"{format_count(meter.included)} included, then {price}" if meter.included else price


def _number_text(row: Entitlement, unit: str) -> str:
    number = int(row.value or 0)
    text = format_bytes(number) if unit == "byte" else format_count(number)
    if row.per_seat:
        text += " a seat"
    if row.throttle_after is not None:
        text += f", slowed from {format_count(row.throttle_after)}"
    return text


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
