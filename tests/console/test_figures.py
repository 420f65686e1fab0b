"""How the console writes figures."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billing.console import figures
from billing.core.money import UnknownCurrency


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("142.87", "USD", "$142.87"),
        ("1234567.005", "EUR", "€1,234,567.01"),
        ("-3.5", "GBP", "−£3.50"),
        ("1999.5", "JPY", "¥2,000"),
        ("12.3456", "KWD", "KWD\u00a012.346"),
        ("0", "USD", "$0.00"),
        ("0.005", "USD", "$0.01"),
        ("0.0049", "USD", "<$0.01"),
        ("-0.000000001", "USD", "−<$0.01"),
        ("0.4", "JPY", "<¥1"),
    ],
)
def test_money_rounds_half_up_and_never_hides_a_charge(amount: str, currency: str, text: str) -> None:
    """M11: the currency's minor unit, half up; F1: a nonzero amount never reads as zero."""
    assert figures.format_money(Decimal(amount), currency) == text


def test_money_of_an_unknown_currency_is_refused() -> None:
    """M11: a code without a minor unit cannot be written."""
    with pytest.raises(UnknownCurrency):
        figures.format_money(Decimal(1), "ZZZ")


@pytest.mark.parametrize(
    ("amount", "text"),
    [("20", "+$20.00"), ("-0.000412500", "−$0.0004125"), ("-1E+2", "−$100.00"), ("0.000000000", "$0.00")],
)
def test_a_movement_keeps_every_digit(amount: str, text: str) -> None:
    """M1: what the ledger shows adds up to the balance, so nothing is rounded."""
    assert figures.format_signed(Decimal(amount), "USD") == text


def test_exact_has_nine_decimals() -> None:
    """M11: usage is rated at nine decimals."""
    assert figures.format_exact(Decimal("-1234.5"), "USD") == "−$1,234.500000000"


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (1234567, "1,234,567"), (-1200, "−1,200"), (Decimal("412.500"), "412.5"), (Decimal("1E+3"), "1,000")],
)
def test_counts_have_separators_and_no_idle_zeros(number: Decimal | int, text: str) -> None:
    """U5: counts read as numbers."""
    assert figures.format_count(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (999_999, "999,999"),
        (1_234_567, "1.23\u00a0M"),
        (999_999_999, "1\u00a0B"),
        (182_441_902, "182.44\u00a0M"),
        (3_000_000_000, "3\u00a0B"),
    ],
)
def test_large_counts_are_short(number: int, text: str) -> None:
    """U5: totals of tokens fit a phone."""
    assert figures.format_compact(number) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0\u00a0bytes"),
        (1023, "1,023\u00a0bytes"),
        (1536, "1.5\u00a0KB"),
        (1024**2 - 1, "1\u00a0MB"),
        (10 * 1024**3, "10\u00a0GB"),
        (1024**6, "1,024\u00a0PB"),
    ],
)
def test_bytes_use_steps_of_1024(size: int, text: str) -> None:
    """P3: storage limits read as sizes."""
    assert figures.format_bytes(size) == text


def test_moments_are_in_the_tenants_zone_and_periods_in_utc() -> None:
    """P5: periods are UTC; F1: what happened is shown in the tenant's time zone."""
    moment = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    assert figures.format_moment(moment, "Europe/Berlin") == "1 Dec 2026, 00:30 CET"
    assert figures.format_moment(moment, "Asia/Dubai") == "1 Dec 2026, 03:30 UTC+04"
    assert figures.format_utc_day(moment) == "30 Nov 2026"


@pytest.mark.parametrize(
    ("percent", "level"), [(0, "ok"), (Decimal("79.9"), "ok"), (80, "warn"), (100, "over"), (140, "over")]
)
def test_meter_levels(percent: Decimal | int, level: str) -> None:
    """M9: a meter turns at 80 and at 100 %."""
    assert figures.meter_level(percent) == level


def test_rate_keeps_every_digit() -> None:
    """P4: the price of a small unit is not rounded to nothing."""
    assert figures.format_rate(Decimal("0.000050000"), "USD") == "$0.00005"
    assert figures.format_rate(Decimal("0.250000000"), "USD") == "$0.25"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "just now"),
        (0.9, "just now"),
        (1, "1 s ago"),
        (119, "119 s ago"),
        (120, "2 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (48 * 3600 - 1, "47 h ago"),
        (1200 * 86_400, "1,200 days ago"),
    ],
)
def test_how_long_ago_is_told_in_one_unit(seconds: float, text: str) -> None:
    """P9: the latest sign of life of a session."""
    at = datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert figures.format_ago(at - timedelta(seconds=seconds), at) == text


def test_clock_is_the_tenants() -> None:
    """F1: the time of day of what refreshes itself."""
    assert figures.format_clock(datetime(2026, 3, 10, 12, 5, 9, tzinfo=UTC), "Europe/Berlin") == "13:05:09"
