"""Money, figures, dates and addresses as documents write them (I2)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing.invoices.documents import formats

BERLIN = {"line1": "Torstraße 1", "postal_code": "10119", "city": "Berlin", "country": "DE"}
PORTLAND = {"line1": "500 SW Morrison St", "postal_code": "97205", "city": "Portland", "region": "OR", "country": "US"}
BRISTOL = {"line1": "12 Harbour St", "line2": "Unit 4", "postal_code": "BS1 4RN", "city": "Bristol", "country": "GB"}


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234.5", "USD", "$1,234.50"),
        ("1234.5", "EUR", "€1,234.50"),
        ("1235", "JPY", "¥1,235"),
        ("1.234", "KWD", "KWD\N{NO-BREAK SPACE}1.234"),
        ("-1234567.89", "USD", "−$1,234,567.89"),
        ("-0.005", "KWD", "−KWD\N{NO-BREAK SPACE}0.005"),
        ("0E-9", "CHF", "CHF\N{NO-BREAK SPACE}0.00"),
    ],
)
def test_money_has_its_currencys_decimals(amount: str, currency: str, text: str) -> None:
    assert formats.money(Decimal(amount), currency) == text


def test_exact_amounts_keep_their_points_below_each_other() -> None:
    amounts = [Decimal("12.000000000"), Decimal("0.000412500"), Decimal("1.5")]
    assert formats.exact_money(amounts, "USD") == ["$12.0000000", "$0.0004125", "$1.5000000"]
    assert formats.exact_money([Decimal(3)], "USD") == ["$3.00"]
    assert formats.exact_money([], "USD") == []


def test_quantities_have_units() -> None:
    assert formats.quantity(Decimal("1.000000000"), "minute") == "1 minute"
    assert formats.quantity(Decimal("1250.500000000"), "minute") == "1,250.5 minutes"
    assert formats.quantity(Decimal(2), "gb_month") == "2 GB-months"
    assert formats.quantity(Decimal(3), "") == "3"
    assert formats.percent("19.000") == "19%"
    assert formats.percent("8.875") == "8.875%"


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ((2026, 11, 1), (2026, 12, 1), "1 – 30 Nov 2026"),
        ((2026, 11, 15), (2026, 12, 15), "15 Nov – 14 Dec 2026"),
        ((2026, 12, 15, 9), (2027, 1, 15, 9), "15 Dec 2026 – 15 Jan 2027"),
        ((2026, 11, 1), (2026, 11, 2), "1 Nov 2026"),
    ],
)
def test_a_period_names_its_last_day(start: tuple[int, ...], end: tuple[int, ...], text: str) -> None:
    """Periods end before their end; one that ends at noon has that day in it."""
    assert formats.span(_at(*start), _at(*end)) == text


def test_addresses_stand_in_their_countrys_order() -> None:
    assert formats.address_lines(BERLIN) == ("Torstraße 1", "10119 Berlin", "Germany")
    assert formats.address_lines(PORTLAND) == ("500 SW Morrison St", "Portland, OR 97205", "United States")
    assert formats.address_lines(BRISTOL) == ("12 Harbour St", "Unit 4", "Bristol", "BS1 4RN", "United Kingdom")
    assert formats.address_lines({"name": "Kestrel"}) == ()


def test_a_text_stays_on_its_line_and_in_its_direction() -> None:
    """Line ends and controls become spaces, marks that turn text round go; joiners of scripts stay."""
    assert formats.plain("Acme\r\n\tLtd\u2028 now") == "Acme Ltd now"
    assert formats.plain("\u202eevil\u2066") == "evil"
    assert formats.plain("नमस्\u200dते") == "नमस्\u200dते"


def _at(*parts: int) -> datetime:
    year, month, day, *rest = parts
    return datetime(year, month, day, *rest, tzinfo=UTC)
