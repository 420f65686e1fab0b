"""Values of features as the database keeps them in JSON, and as staff write them.

The same rules as in a catalogue file: whole numbers from zero up, amounts as decimal strings in cents, lists without
twins, texts that are not empty, and None for "unlimited" where a feature can be.
"""

from decimal import Decimal, InvalidOperation

from billing.plans.data_table import LARGEST_WHOLE, UNLIMITED
from billing.plans.features import FEATURES, Feature, FeatureKind

JsonValue = int | bool | str | list[str] | None

_CENT = Decimal("0.01")
_LARGEST_AMOUNT = Decimal(10) ** 12
_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class BadFeatureValue(ValueError):
    """A value that the feature cannot have; the message says what it takes."""


def check_value(code: str, value: object) -> None:
    """Raises BadFeatureValue unless `value` is what the database keeps for this feature."""
    feature = FEATURES.get(code)
    if feature is None:
        raise BadFeatureValue(f"“{code}” is not a known feature.")
    if not _is_valid(feature, value):
        raise BadFeatureValue(f"{feature.name} takes {_expected(feature)}.")


def parse_value(code: str, text: str) -> JsonValue:
    """Read what staff wrote: `5000`, `unlimited`, `12.50`, `yes`, `webhook, email`. Raises BadFeatureValue."""
    feature = FEATURES.get(code)
    if feature is None:
        raise BadFeatureValue(f"“{code}” is not a known feature.")
    value = _read(feature, text.strip())
    check_value(code, value)
    return value


def show_value(value: object) -> str:
    """Write a value as `parse_value` reads it."""
    if value is None:
        return UNLIMITED
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _read(feature: Feature, text: str) -> JsonValue:
    if feature.kind.may_be_unlimited and text.lower() == UNLIMITED:
        return None
    if feature.kind.is_whole_number:
        digits = text.replace("_", "").replace(",", "")
        return int(digits) if digits.isascii() and digits.isdigit() else text
    match feature.kind:
        case FeatureKind.AMOUNT_DAY:
            return _cents(text)
        case FeatureKind.SWITCH:
            return _SWITCH.get(text.lower(), text)
        case FeatureKind.LIST:
            return [item.strip() for item in text.split(",")] if text else []
        case _:
            return text


def _is_valid(feature: Feature, value: object) -> bool:
    if value is None:
        return feature.kind.may_be_unlimited
    if feature.kind.is_whole_number:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_WHOLE
    match feature.kind:
        case FeatureKind.AMOUNT_DAY:
            return isinstance(value, str) and _is_amount(value)
        case FeatureKind.SWITCH:
            return isinstance(value, bool)
        case FeatureKind.LIST:
            return _is_list_of_texts(value)
        case _:
            return isinstance(value, str) and bool(value.strip())


def _is_list_of_texts(value: object) -> bool:
    if not isinstance(value, list):
        return False
    return all(isinstance(item, str) and _is_word(item) for item in value) and len(set(value)) == len(value)


def _is_word(text: str) -> bool:
    """Quotation marks and a bracket in front are a list in JSON that was pasted: no channel or model is called so."""
    return bool(text.strip()) and not text.startswith("[") and '"' not in text


def _is_amount(text: str) -> bool:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return False
    return amount.is_finite() and 0 <= amount < _LARGEST_AMOUNT and amount == amount.quantize(_CENT)


def _cents(text: str) -> str:
    return str(Decimal(text).quantize(_CENT)) if _is_amount(text) else text


def _expected(feature: Feature) -> str:
    unlimited = f" or “{UNLIMITED}”" if feature.kind.may_be_unlimited else ""
    if feature.kind.is_whole_number:
        return f"a whole number from 0 up{unlimited}"
    match feature.kind:
        case FeatureKind.AMOUNT_DAY:
            return f"an amount with at most two decimals{unlimited}"
        case FeatureKind.SWITCH:
            return "yes or no"
        case FeatureKind.LIST:
            return "words with commas between them, each once"
        case _:
            return "a text that is not empty"
