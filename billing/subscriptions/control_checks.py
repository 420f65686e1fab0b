"""What amounts a customer may cap its spending with, and how a wrong one is told (P8, M9)."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from billing.core.money import minor_exponent, spell_amount
from billing.core.problems import FieldError, problem

LARGEST = Decimal(1_000_000)
"""The highest cap, ceiling or threshold, in any currency: beyond it a slip of the hand is likelier than a wish."""
_PLACES = 2


def check_amounts(
    amounts: Mapping[str, Decimal | None], *, overage_enabled: bool, price: Decimal | None, currency: str
) -> None:
    """Raises Problem invalid-request that names every wrong field. None is no cap; `price` is of one execution."""
    errors = [error for name, amount in amounts.items() if (error := _check_amount(name, amount, currency))]
    if overage_enabled and not errors:
        errors.extend(_check_ceiling(amounts["overage_ceiling"], price, currency))
    if errors:
        raise problem("invalid-request", " ".join(error.detail for error in errors), errors=tuple(errors))


def _check_amount(name: str, amount: Decimal | None, currency: str) -> FieldError | None:
    if amount is None:
        return None
    places = min(_PLACES, minor_exponent(currency))
    if not amount.is_finite():
        return FieldError(name, "invalid", "This is not an amount.")
    if amount < 0:
        return FieldError(name, "min-value", "An amount cannot be negative.")
    if amount > LARGEST:
        return FieldError(name, "max-value", f"The highest amount is {spell_amount(LARGEST, currency)}.")
    if amount != round(amount, places):
        what = f"at most {places} decimals" if places else "no decimals"
        return FieldError(name, "max-decimal-places", f"An amount in {currency} has {what}.")
    return None


def _check_ceiling(ceiling: Decimal | None, price: Decimal | None, currency: str) -> Iterator[FieldError]:
    if ceiling is None:
        yield FieldError(
            "overage_ceiling",
            "required",
            "Say how much executions past the limit may cost in a billing period at most; without a ceiling none run.",
        )
    elif ceiling == 0 or (price is not None and ceiling < price):
        costs = f": one costs {spell_amount(price, currency)}" if price is not None else ""
        yield FieldError("overage_ceiling", "min-value", f"The ceiling does not pay for a single execution{costs}.")
