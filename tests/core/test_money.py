"""Amounts: rounding, minor units, reading and writing (M11)."""

from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.core.money import (
    MAX_AMOUNT,
    MINOR_EXPONENTS,
    NANO,
    UnknownCurrency,
    format_amount,
    from_minor_units,
    minor_exponent,
    parse_amount,
    round_fraction,
    round_rated,
    round_to_minor,
    spell_amount,
    to_minor_units,
    write_amount,
)

quick = settings(deadline=None, max_examples=100)
fine_amounts = st.decimals(min_value=-MAX_AMOUNT, max_value=MAX_AMOUNT, places=14)
rated_amounts = st.decimals(min_value=-MAX_AMOUNT, max_value=MAX_AMOUNT, places=9)
currencies = st.sampled_from(sorted(MINOR_EXPONENTS))
NOT_FINITE = [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity")]


def half_up(x: Fraction, decimals: int) -> Fraction:
    """The oracle: half-up on the absolute value, in whole numbers."""
    magnitude = Fraction(floor(abs(x) * 10**decimals + Fraction(1, 2)), 10**decimals)
    return magnitude if x >= 0 else -magnitude


@quick
@given(fine_amounts)
def test_rated_amounts_round_half_up_at_nine_decimals(x: Decimal) -> None:
    """M11: the rounding equals the oracle's, and has nine decimals."""
    rounded = round_rated(x)
    assert Fraction(rounded) == half_up(Fraction(x), 9)
    assert rounded.as_tuple().exponent == -9


@quick
@given(st.integers(min_value=-(10**21), max_value=10**21))
def test_ties_go_away_from_zero(nanos: int) -> None:
    """M11: exactly half a nano is rounded up for a charge and mirrored for its correction."""
    tie = (abs(nanos) + Decimal("0.5")) * NANO
    assert round_rated(tie) == (abs(nanos) + 1) * NANO
    assert round_rated(-tie) == -round_rated(tie)


@quick
@given(fine_amounts, currencies)
def test_minor_units_round_half_up_and_mirror(x: Decimal, currency: str) -> None:
    """M11: a correction of an amount is rounded to the mirror image of its charge."""
    rounded = round_to_minor(x, currency)
    assert Fraction(rounded) == half_up(Fraction(x), minor_exponent(currency))
    assert round_to_minor(-x, currency) == -rounded


@quick
@given(st.fractions(min_value=-(10**12), max_value=10**12))
def test_quotients_round_once(x: Fraction) -> None:
    """M11: a share without an end to its decimals is rounded as the oracle does, without a step between."""
    rounded = round_fraction(x)
    assert Fraction(rounded) == half_up(x, 9)
    assert not (rounded.is_zero() and rounded.is_signed())


@pytest.mark.parametrize(
    ("x", "currency", "expected"),
    [
        ("1.005", "USD", "1.01"),
        ("-1.005", "USD", "-1.01"),
        ("1.004999999", "USD", "1.00"),
        ("0.5", "JPY", "1"),
        ("1.2345", "KWD", "1.235"),
        ("0.00005", "CLF", "0.0001"),
        ("-0.004", "USD", "0.00"),
    ],
)
def test_rounding_to_the_minor_unit(x: str, currency: str, expected: str) -> None:
    """M11: worked examples of each exponent, written as they appear on an invoice."""
    assert str(round_to_minor(Decimal(x), currency)) == expected


@quick
@given(st.integers(min_value=-(10**17), max_value=10**17), currencies)
def test_minor_units_round_trip(n: int, currency: str) -> None:
    """M11: what goes to a payment provider as a whole number comes back as the same amount."""
    amount = from_minor_units(n, currency)
    assert Fraction(amount) == Fraction(n, 10 ** minor_exponent(currency))
    assert to_minor_units(amount, currency) == n


@pytest.mark.parametrize(("x", "currency"), [("1.001", "USD"), ("0.5", "JPY"), ("0.0001", "KWD")])
def test_a_part_of_a_minor_unit_is_no_whole_number(x: str, currency: str) -> None:
    """M11: the conversion never rounds by itself."""
    with pytest.raises(ValueError, match="not a whole number of minor units"):
        to_minor_units(Decimal(x), currency)


@pytest.mark.parametrize(("currency", "exponent"), [("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_minor_exponents(currency: str, exponent: int) -> None:
    """M11: exponents of ISO 4217."""
    assert minor_exponent(currency) == exponent


@pytest.mark.parametrize("currency", ["", "usd", "US", "USDT", "XAU", "XXX", "HUSD"])
def test_unknown_currency(currency: str) -> None:
    """M11: no currency is guessed to have two decimals."""
    for refused in (minor_exponent, lambda code: round_to_minor(Decimal(1), code), lambda c: from_minor_units(1, c)):
        with pytest.raises(UnknownCurrency):
            refused(currency)


@pytest.mark.parametrize("x", NOT_FINITE)
def test_what_is_not_finite_is_no_amount(x: Decimal) -> None:
    """M11: NaN and infinity never become money."""
    for refused in (round_rated, format_amount, lambda v: round_to_minor(v, "USD"), lambda v: to_minor_units(v, "USD")):
        with pytest.raises(ValueError, match="finite"):
            refused(x)


@quick
@given(rated_amounts)
def test_amounts_round_trip_as_text(x: Decimal) -> None:
    """M11: what is written is plain, has nine decimals, and reads as the same amount."""
    text = format_amount(x)
    assert parse_amount(text) == x
    assert "E" not in text
    assert len(text.partition(".")[2]) == 9


@pytest.mark.parametrize(
    ("x", "text"),
    [
        ("12.3456789", "12.345678900"),
        ("0", "0.000000000"),
        ("-0", "0.000000000"),
        ("-0.0000000004", "0.000000000"),
        ("1E+3", "1000.000000000"),
        ("1E-9", "0.000000001"),
        ("-7.5", "-7.500000000"),
    ],
)
def test_writing_amounts(x: str, text: str) -> None:
    """M11: never an exponent, never a negative zero."""
    assert format_amount(Decimal(x)) == text


@pytest.mark.parametrize(
    ("x", "currency", "written", "spelled"),
    [
        ("1234.5", "USD", "1234.50", "1,234.50 USD"),
        ("0.00775", "USD", "0.00775", "0.00775 USD"),
        ("-0", "USD", "0.00", "0.00 USD"),
        ("1000", "JPY", "1000", "1,000 JPY"),
        ("1.000000001", "JPY", "1.000000001", "1.000000001 JPY"),
    ],
)
def test_amounts_without_idle_zeros(x: str, currency: str, written: str, spelled: str) -> None:
    """M11, N1: exact, with the currency's decimals at least; for programs without separators."""
    assert (write_amount(Decimal(x), currency), spell_amount(Decimal(x), currency)) == (written, spelled)


@pytest.mark.parametrize("text", ["0", "-0", "0.10", "-3.5", "999999999999.999999999", "-999999999999.999999999"])
def test_amounts_that_are_read(text: str) -> None:
    """M11: plain decimals up to the largest amount are accepted as they are."""
    amount = parse_amount(text)
    assert amount == Decimal(text)
    assert not (amount.is_zero() and amount.is_signed())


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        "1E-9",
        "NaN",
        "Infinity",
        "-inf",
        "+1",
        ".5",
        "5.",
        "01",
        "1_000",
        "1,000",
        "0x10",
        " 1",
        "1 ",
        "1\n",
        "",
        "-",
        "--1",
        "1.0000000000",
        "1000000000000",
        "١٢",
    ],
)
def test_amounts_that_are_refused(text: str) -> None:
    """M11: everything else is refused, with a message that says what is accepted."""
    with pytest.raises(ValueError, match="plain decimal number"):
        parse_amount(text)


@pytest.mark.parametrize("value", [1, 1.5, None, Decimal(1), True])
def test_an_amount_from_outside_is_a_string(value: Any) -> None:
    """M11: a JSON number would have passed through a float."""
    with pytest.raises(ValueError, match="is a string"):
        parse_amount(value)
