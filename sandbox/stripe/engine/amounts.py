"""What a quantity costs at a price, in minor units, rounded half-up once."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from sandbox.stripe.values import Json


def rounded(amount: Decimal | Fraction) -> int:
    """Round to whole minor units, half away from zero."""
    exact = Fraction(amount)
    whole = (abs(exact) + Fraction(1, 2)).__floor__()
    return whole if exact >= 0 else -whole


def price_amount(price: Json, quantity: Decimal) -> int:
    """Give the price of the quantity in minor units of the price's currency."""
    return rounded(exact_amount(price, quantity))


def exact_amount(price: Json, quantity: Decimal) -> Decimal:
    """Give the price of the quantity before rounding."""
    transform = price.get("transform_quantity")
    if transform:
        quantity = _packages(quantity, transform)
    if price["billing_scheme"] == "per_unit":
        return _unit(price) * quantity
    if price["tiers_mode"] == "volume":
        return _volume(price["_tiers"], quantity)
    return _graduated(price["_tiers"], quantity)


def unit_decimal(price: Json) -> str | None:
    """Give the unit amount as the decimal text that invoice lines show, None for tiered prices."""
    if price["billing_scheme"] != "per_unit":
        return None
    return plain(_unit(price))


def plain(number: Decimal) -> str:
    """Write a decimal without exponent or trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _unit(price: Json) -> Decimal:
    text = price.get("unit_amount_decimal")
    return Decimal(text if text is not None else price.get("unit_amount") or 0)


def _packages(quantity: Decimal, transform: Json) -> Decimal:
    whole = quantity / Decimal(transform["divide_by"])
    floor = whole // 1
    return floor + 1 if transform["round"] == "up" and whole != floor else floor


def _flat(tier: Json) -> Decimal:
    text = tier.get("flat_amount_decimal")
    return Decimal(text if text is not None else tier.get("flat_amount") or 0)


def _volume(tiers: list[Json], quantity: Decimal) -> Decimal:
    if not quantity:
        return Decimal(0)
    for tier in tiers:
        if tier["up_to"] is None or quantity <= tier["up_to"]:
            return _unit(tier) * quantity + _flat(tier)
    raise ValueError("The last tier has an end.")


def _graduated(tiers: list[Json], quantity: Decimal) -> Decimal:
    total, below = Decimal(0), Decimal(0)
    for tier in tiers:
        if quantity <= below:
            break
        upper = quantity if tier["up_to"] is None else min(quantity, Decimal(tier["up_to"]))
        total += _unit(tier) * (upper - below) + _flat(tier)
        below = upper
    return total


def formatted(amount: Decimal, currency: str) -> str:
    """Write an amount in minor units for descriptions, such as "$20.00"."""
    sign = {"usd": "$", "eur": "€", "gbp": "£"}.get(currency, f"{currency.upper()} ")
    value = amount / 100
    cents = value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"{sign}{cents if cents == value else plain(value)}"
