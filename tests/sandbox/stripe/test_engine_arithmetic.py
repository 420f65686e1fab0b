"""The sandbox's own arithmetic: period boundaries, prices, prorations (P10)."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from sandbox.stripe.engine.amounts import formatted, price_amount, rounded
from sandbox.stripe.engine.anchors import boundary, boundary_after, boundary_before
from sandbox.stripe.engine.proration import Holding, prorate, remaining_amount
from sandbox.stripe.values import Json

MONTHLY = {"interval": "month", "interval_count": 1}


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def flat(unit: str) -> Json:
    return {"billing_scheme": "per_unit", "unit_amount_decimal": unit}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [(0, "2026-01-31"), (1, "2026-02-28"), (2, "2026-03-31"), (-2, "2025-11-30"), (25, "2028-02-29")],
)
def test_signup_on_the_31st(steps: int, expected: str) -> None:
    assert boundary(instant("2026-01-31"), MONTHLY, steps) == instant(expected)


def test_leap_day() -> None:
    yearly = {"interval": "year", "interval_count": 1}
    assert boundary(instant("2028-02-29"), yearly, 1) == instant("2029-02-28")
    assert boundary(instant("2028-02-29"), yearly, 4) == instant("2032-02-29")


@pytest.mark.parametrize(
    "recurring", [MONTHLY, {"interval": "week", "interval_count": 2}, {"interval": "day", "interval_count": 1}]
)
@pytest.mark.parametrize("at", ["2026-01-31", "2026-02-28", "2026-03-01", "2025-06-15", "2031-12-31"])
def test_every_instant_lies_in_one_period(recurring: Json, at: str) -> None:
    anchor = instant("2026-01-31")
    end = boundary_after(anchor, recurring, instant(at))
    start = boundary_before(anchor, recurring, end)
    assert start <= instant(at) < end
    assert boundary_after(anchor, recurring, start) == end


@pytest.mark.parametrize(("exact", "expected"), [("0.5", 1), ("1.5", 2), ("-0.5", -1), ("0.49", 0), ("-1.5", -2)])
def test_amounts_round_half_away_from_zero(exact: str, expected: int) -> None:
    assert rounded(Fraction(exact)) == expected


def test_tiers() -> None:
    """Graduated tiers fill up one after the other; a volume tier prices everything."""
    tiers = [
        {"up_to": 10, "unit_amount_decimal": "100", "flat_amount_decimal": None},
        {"up_to": None, "unit_amount_decimal": "50.5", "flat_amount_decimal": "7"},
    ]
    price = {"billing_scheme": "tiered", "_tiers": tiers}
    assert price_amount(price | {"tiers_mode": "graduated"}, Decimal(13)) == 1159
    assert price_amount(price | {"tiers_mode": "volume"}, Decimal(13)) == 664
    assert price_amount(price | {"tiers_mode": "graduated"}, Decimal(0)) == 0
    assert price_amount(price | {"tiers_mode": "volume"}, Decimal(0)) == 0


def test_packages() -> None:
    price = flat("300") | {"transform_quantity": {"divide_by": 100, "round": "up"}}
    assert price_amount(price, Decimal(101)) == 600
    price["transform_quantity"]["round"] = "down"
    assert price_amount(price, Decimal(199)) == 300


def test_fractions_of_a_cent_are_rounded_once() -> None:
    assert price_amount(flat("0.015"), Decimal(100)) == 2


def test_remaining_time_is_exact_to_the_second() -> None:
    held = Holding("si", flat("1000"), 1, start=0, end=3)
    assert [remaining_amount(held, at) for at in (-1, 0, 1, 2, 3, 4)] == [1000, 1000, 667, 333, 0, 0]


def test_what_stays_is_not_prorated() -> None:
    stays, goes, comes = (Holding(item, flat("1000"), 1, start=0, end=2) for item in ("a", "b", "c"))
    lines = prorate([stays, goes], [stays, comes], 1)
    assert [(line.holding.item, line.amount, line.is_credit) for line in lines] == [
        ("b", -500, True),
        ("c", 500, False),
    ]


@pytest.mark.parametrize(
    ("cents", "text"), [("2000", "$20.00"), ("0.5", "$0.005"), ("1", "$0.01"), ("123456", "$1234.56")]
)
def test_amounts_in_words(cents: str, text: str) -> None:
    assert formatted(Decimal(cents), "usd") == text
