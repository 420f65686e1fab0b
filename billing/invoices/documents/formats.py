"""How documents write money, figures, dates and addresses: in English, in the currency's own decimals. Pure."""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.core.money import minor_exponent
from billing.core.money_texts import write_count, write_money
from billing.invoices.countries import CITY_FIRST, COUNTRIES, REGION_ON_A_LINE

_EN_DASH = "\N{EN DASH}"
_LINE_ENDS = frozenset({"Cc", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # some scripts, and emoji, are spelled with them
_UNITS = {"gb_month": "GB-month"}
_INSTANT = timedelta(microseconds=1)


def plain(text: object) -> str:
    """Give a text from outside as one line: no control characters, none that change the direction of what follows."""
    kept = (char for char in str(text) if unicodedata.category(char) != "Cf" or char in _JOINERS)
    return " ".join("".join(" " if unicodedata.category(char) in _LINE_ENDS else char for char in kept).split())


def money(amount: Decimal, currency: str) -> str:
    """Return a closed amount, as in "$1,234.50", "¥1,235" and "−KWD 1.234".

    Raises UnknownCurrency for a code that has no minor unit.
    """
    return write_money(amount, currency, minor_exponent(currency))


def exact_money(amounts: Iterable[Decimal], currency: str) -> list[str]:
    """Return rated amounts with every digit that one of them has, so that their points stand below each other."""
    rated = list(amounts)
    digits = max([minor_exponent(currency), *(-int(amount.normalize().as_tuple().exponent) for amount in rated)])
    return [write_money(amount, currency, digits) for amount in rated]


def quantity(number: Decimal | int, unit: str) -> str:
    """Return a quantity with its unit, as in "1 minute" and "1,250.5 minutes"."""
    if not unit:
        return write_count(number)
    return f"{write_count(number)} {_UNITS.get(unit, unit)}{'' if number == 1 else 's'}"


def percent(number: object) -> str:
    """Return a rate of tax without idle zeros, as in "19%" and "8.875%"."""
    return f"{write_count(Decimal(str(number)))}%"


def day(at: datetime) -> str:
    """Return the UTC day of an instant, as in "3 November 2026"."""
    date = at.astimezone(UTC)
    return f"{date.day}\N{NO-BREAK SPACE}{date:%B}\N{NO-BREAK SPACE}{date.year}"


def span(start: datetime, end: datetime) -> str:
    """Return the first and the last UTC day of [start, end), as in "1 – 30 Nov 2026" and "15 Nov – 14 Dec 2026"."""
    first, last = start.astimezone(UTC), end.astimezone(UTC) - _INSTANT
    if first.date() >= last.date():
        return f"{first.day} {first:%b %Y}"
    if first.year != last.year:
        head = f"{first.day} {first:%b %Y}"
    elif first.month != last.month:
        head = f"{first.day} {first:%b}"
    else:
        head = f"{first.day}"
    return f"{head} {_EN_DASH} {last.day} {last:%b %Y}"


def country_name(code: str) -> str:
    """Return a country's English name; a code that is none is returned as it is."""
    return COUNTRIES.get(code, code)


def address_lines(party: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a postal address in lines, in the order of its country; parts that are empty leave no trace."""
    line1, line2, postal, city, region, country = (
        plain(party.get(name, "")) for name in ("line1", "line2", "postal_code", "city", "region", "country")
    )
    if country in REGION_ON_A_LINE:
        town = [city, region, postal]
    elif country in CITY_FIRST:
        town = [", ".join(filter(None, (city, " ".join(filter(None, (region, postal))))))]
    else:
        town = [", ".join(filter(None, (" ".join(filter(None, (postal, city))), region)))]
    return tuple(filter(None, (line1, line2, *town, country_name(country))))
