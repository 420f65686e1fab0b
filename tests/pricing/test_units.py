"""Rating of units by tiers, against unit-by-unit oracles in fractions (U1, M11)."""

from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from math import floor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.pricing.units import Mode, Tier, UnitPrice, exact_unit_cost, rate_units

quick = settings(deadline=None, max_examples=100)
amounts = st.decimals(min_value=0, max_value=1000, places=9)
quantities = st.decimals(min_value=0, max_value=10_000, places=6)
sizes = st.lists(st.decimals(min_value="0.001", max_value=1000, places=3), max_size=4)


@st.composite
def prices(draw: st.DrawFn, mode: Mode) -> UnitPrice:
    ends = [*accumulate(draw(sizes)), None]
    tiers = tuple(Tier(end, draw(amounts), draw(amounts)) for end in ends)
    return UnitPrice(tiers, mode, draw(st.just(Decimal(0)) | quantities))


graduated, volume = prices("graduated"), prices("volume")


def graduated_oracle(price: UnitPrice, used: Decimal) -> Fraction:
    """Overlap of [0, billable units] with each tier's own stretch."""
    billable = Fraction(used) - Fraction(price.included)
    floors = [Fraction(0), *(Fraction(tier.up_to) for tier in price.tiers if tier.up_to is not None)]
    return sum(
        (
            (min(billable, Fraction(tier.up_to or billable)) - start) * Fraction(tier.unit_price)
            + Fraction(tier.flat_fee)
            for tier, start in zip(price.tiers, floors, strict=True)
            if billable > start
        ),
        Fraction(0),
    )


def nano(x: Fraction) -> Fraction:
    magnitude = Fraction(floor(abs(x) * 10**9 + Fraction(1, 2)), 10**9)
    return magnitude if x >= 0 else -magnitude


@quick
@given(graduated, quantities, quantities)
def test_graduated_costs_equal_the_oracles(price: UnitPrice, before: Decimal, quantity: Decimal) -> None:
    """U1: a quantity costs what the period's graduated cost grows by."""
    grown = graduated_oracle(price, before + quantity) - graduated_oracle(price, before)
    assert Fraction(rate_units(price, quantity, already_used=before)) == nano(grown)


@quick
@given(volume, quantities)
def test_volume_costs_equal_the_oracles(price: UnitPrice, quantity: Decimal) -> None:
    """U1: all billable units cost what the tier of their total says."""
    billable = Fraction(quantity) - Fraction(price.included)
    tier = next(tier for tier in price.tiers if tier.up_to is None or billable <= Fraction(tier.up_to))
    expected = Fraction(tier.unit_price) * billable + Fraction(tier.flat_fee) if billable > 0 else Fraction(0)
    assert Fraction(rate_units(price, quantity)) == nano(expected)


@quick
@given(graduated | volume, st.lists(quantities, min_size=1, max_size=5))
def test_pieces_add_up_to_the_whole(price: UnitPrice, pieces: list[Decimal]) -> None:
    """U4: rating in pieces equals rating at once, before rounding, in any price."""
    befores = [Decimal(0), *accumulate(pieces)]
    parts = [exact_unit_cost(price, piece, already_used=before) for piece, before in zip(pieces, befores, strict=False)]
    assert sum(map(Fraction, parts)) == Fraction(exact_unit_cost(price, sum(pieces, Decimal(0))))


@quick
@given(graduated, quantities, quantities)
def test_graduated_costs_never_fall(price: UnitPrice, before: Decimal, quantity: Decimal) -> None:
    """U1: more use never costs less."""
    assert rate_units(price, quantity, already_used=before) >= 0


def tiered(mode: Mode, included: str = "0") -> UnitPrice:
    tiers = (
        Tier(Decimal(100), Decimal("0.10"), Decimal(1)),
        Tier(Decimal(1000), Decimal("0.05"), Decimal(2)),
        Tier(None, Decimal("0.01")),
    )
    return UnitPrice(tiers, mode, Decimal(included))


@pytest.mark.parametrize(
    ("mode", "quantity", "expected"),
    [
        ("graduated", "0", "0"),
        ("graduated", "0.5", "1.05"),
        ("graduated", "100", "11"),
        ("graduated", "100.5", "13.025"),
        ("graduated", "1000", "58"),
        ("graduated", "1100", "59"),
        ("volume", "0", "0"),
        ("volume", "100", "11"),
        ("volume", "101", "7.05"),
        ("volume", "1000", "52"),
        ("volume", "1100", "11"),
    ],
)
def test_worked_examples(mode: Mode, quantity: str, expected: str) -> None:
    """U1: limits belong to the tier below them, and a flat fee falls due with a tier's first unit."""
    assert rate_units(tiered(mode), Decimal(quantity)) == Decimal(expected)


@pytest.mark.parametrize(
    ("quantity", "already_used", "expected"),
    [("50", "0", "0"), ("60", "0", "2"), ("10", "50", "2"), ("10", "45", "1.5"), ("10", "60", "1")],
)
def test_included_units_come_off_first(quantity: str, already_used: str, expected: str) -> None:
    """P3: an allowance of 50 units costs nothing, and tiers count from its end."""
    price = tiered("graduated", included="50")
    assert rate_units(price, Decimal(quantity), already_used=Decimal(already_used)) == Decimal(expected)


def test_a_volume_price_gives_back_when_a_cheaper_tier_is_reached() -> None:
    """U1: the 101st unit takes all hundred before it along into the cheaper tier."""
    assert rate_units(tiered("volume"), Decimal(1), already_used=Decimal(100)) == Decimal("-3.95")


def test_a_flat_fee_is_charged_once() -> None:
    """U1: a tier reached earlier in the period is not entered again."""
    assert rate_units(tiered("graduated"), Decimal(1), already_used=Decimal(10)) == Decimal("0.10")


@pytest.mark.parametrize(("quantity", "used"), [("-1", "0"), ("1", "-1"), ("NaN", "0"), ("1", "Infinity")])
def test_quantities_that_cannot_be(quantity: str, used: str) -> None:
    """U1: a quantity is a finite number from zero up."""
    with pytest.raises(ValueError, match="finite number from zero up"):
        rate_units(tiered("graduated"), Decimal(quantity), already_used=Decimal(used))


@pytest.mark.parametrize(
    "ends", [(), (1,), (1, 2), (None, None), (None, 5, None), (2, 1, None), (1, 1, None), (1, None, 2)]
)
def test_tiers_that_cannot_be(ends: tuple[int | None, ...]) -> None:
    """P2: tiers ascend and only the last is open-ended, so that each unit has exactly one price."""
    tiers = tuple(Tier(None if end is None else Decimal(end), Decimal(1)) for end in ends)
    with pytest.raises(ValueError, match=r"[Tt]ier"):
        UnitPrice(tiers, "graduated")


def test_prices_that_cannot_be() -> None:
    """P2: negative and endless prices, fees, ends and allowances are refused, and so is a third mode."""
    free = Tier(None, Decimal(0))
    other_mode: Any = "package"
    for refused in (
        lambda: Tier(None, Decimal(-1)),
        lambda: Tier(None, Decimal(1), Decimal("NaN")),
        lambda: Tier(Decimal(0), Decimal(1)),
        lambda: Tier(Decimal("Infinity"), Decimal(1)),
        lambda: UnitPrice((free,), "volume", Decimal(-1)),
        lambda: UnitPrice((free,), other_mode),
    ):
        with pytest.raises(ValueError, match=r"price|tier|mode"):
            refused()
