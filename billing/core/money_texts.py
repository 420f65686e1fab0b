"""How amounts are written for people, in the console and on documents alike."""

from decimal import Decimal
from typing import Final

# Every other currency is written by its ISO 4217 code.
SYMBOLS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
MINUS: Final = "\N{MINUS SIGN}"


def write_money(amount: Decimal, currency: str, digits: int) -> str:
    """Return `amount` at so many decimals with its currency before it, as in "−$1,234.50" and "KWD 1.234"."""
    symbol = SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    return f"{MINUS if amount < 0 else ''}{symbol}{abs(amount):,.{digits}f}"


def write_count(number: Decimal | int) -> str:
    """Return a count or a quantity with thousands separators and no idle zeros after the point."""
    whole, _, fraction = f"{abs(number):,f}".partition(".")
    fraction = fraction.rstrip("0")
    sign = MINUS if number < 0 else ""
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
