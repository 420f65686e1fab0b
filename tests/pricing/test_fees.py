"""Fees and shares, against fractions (M4, M10)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.core.money import UnknownCurrency
from billing.pricing.fees import creator_share, payable_decimals, purchase_fee, refunded_part

quick = settings(deadline=None, max_examples=100)
cents = st.decimals(min_value="0.01", max_value="1000000", places=2)


@pytest.mark.parametrize(
    ("amount", "percent", "currency", "fee"),
    [
        ("25", "5", "USD", "1.25"),
        ("10.10", "5", "USD", "0.51"),  # 0.505: a tie goes up
        ("10.09", "5", "USD", "0.50"),
        ("25", "0", "USD", "0.00"),
        ("1000", "5.25", "JPY", "53"),  # 52.5
        ("12.5", "5", "KWD", "0.63"),  # thousandths cannot be charged
        ("0.01", "5", "USD", "0.00"),
    ],
)
def test_fee_is_rounded_once(amount: str, percent: str, currency: str, fee: str) -> None:
    """M4: a percentage on top, half-up to the minor unit."""
    assert str(purchase_fee(Decimal(amount), percent=Decimal(percent), currency=currency)) == fee


@pytest.mark.parametrize(("amount", "share"), [("10", "8.00"), ("0.01", "0.01"), ("9.99", "7.99"), ("0.03", "0.02")])
def test_creator_gets_four_fifths(amount: str, share: str) -> None:
    """M10: 80 %, half-up; the rest is the platform's."""
    assert str(creator_share(Decimal(amount), "USD")) == share


@quick
@given(cents, cents)
def test_shares_are_within_half_a_cent(amount: Decimal, other: Decimal) -> None:
    """M4, M10: what is rounded differs from the exact share by half a cent at most, and never exceeds the whole."""
    share = creator_share(amount, "USD")
    assert abs(Fraction(share) - Fraction(amount) * 4 / 5) <= Fraction(1, 200)
    assert 0 <= share <= amount
    part = refunded_part(amount, refunded=other, total=amount + other, currency="USD")
    assert abs(Fraction(part) - Fraction(amount * other) / Fraction(amount + other)) <= Fraction(1, 200)
    assert part <= amount


@quick
@given(cents, cents)
def test_what_was_refunded_is_split_without_loss(bought: Decimal, fee: Decimal) -> None:
    """M4: nothing refunded takes nothing back, everything refunded takes back everything."""
    total = bought + fee
    assert refunded_part(bought, refunded=Decimal(0), total=total, currency="USD") == 0
    assert refunded_part(bought, refunded=total, total=total, currency="USD") == bought


def test_nonsense_is_refused() -> None:
    """M11: an amount is a finite number that is not negative, in a currency that there is."""
    for amount in (Decimal(-1), Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises(ValueError, match="is no amount"):
            creator_share(amount, "USD")
    with pytest.raises(ValueError, match="is no amount"):
        purchase_fee(Decimal(1), percent=Decimal(-1), currency="USD")
    with pytest.raises(ValueError, match="cannot be refunded"):
        refunded_part(Decimal(1), refunded=Decimal(3), total=Decimal(2), currency="USD")
    with pytest.raises(UnknownCurrency):
        payable_decimals("usd")
