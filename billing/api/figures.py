"""How the API writes figures: amounts as strings, and numbers where a shape says number, always with exact digits."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Raw

from billing.core.money import format_amount, round_to_minor

Amount = Annotated[str, Meta(pattern=r"^-?[0-9]+\.[0-9]{9}$", description="An amount with nine decimals.")]
Rate = Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]{2,9}$", description="An amount with at least two decimals.")]
Money = Annotated[
    str, Meta(pattern=r"^-?[0-9]+\.[0-9]{2,9}$", description="An amount to pay or to get, with at least two decimals.")
]
Minor = Annotated[
    str, Meta(pattern=r"^-?[0-9]+(\.[0-9]{2,4})?$", description="An amount with the decimals of its currency.")
]
Quantity = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]{1,9})?$", description="A quantity in its unit.")]
Number = Annotated[Raw, Meta(extra_json_schema={"type": "number"})]

amount = format_amount


def rate(value: Decimal) -> str:
    """An amount with the decimals that it needs, two at least: “2.50”, “0.0375”, “-4.00”."""
    return _trimmed(value, 2)


def minor(value: Decimal, currency: str) -> str:
    """An amount in whole minor units with the currency's decimals: “142.87” of USD, “143” of JPY."""
    return f"{round_to_minor(value, currency):f}"


def quantity(value: Decimal) -> str:
    """A quantity with the decimals that it needs: “12.5”, “3”."""
    return _trimmed(value, 0)


def number(value: Decimal) -> Raw:
    """An amount as a JSON number, with the decimals that it needs, two at least: 142.87, 10.00; no float between."""
    return Raw(rate(value).encode())


def _trimmed(value: Decimal, least: int) -> str:
    whole, _, fraction = f"{value or abs(value):f}".partition(".")
    fraction = fraction.rstrip("0").ljust(least, "0")
    return f"{whole}.{fraction}" if fraction else whole
