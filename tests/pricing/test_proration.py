"""Proration by time, against long division at many digits (P10, K11)."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.core.money import format_amount
from billing.core.periods import Period, period_containing
from billing.pricing.proration import ProrationPreview, preview_change, prorate

quick = settings(deadline=None, max_examples=100)
# A tie between two nanos ends within 40 digits, so that 120 digits decide every rounding as the exact value does.
MANY_DIGITS = Context(prec=120, rounding=ROUND_HALF_UP)
NANO = Decimal("0.000000001")
MICROSECOND = timedelta(microseconds=1)
amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=9)
instants = st.datetimes(
    datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None),
    datetime(2060, 1, 1, tzinfo=UTC).replace(tzinfo=None),
    timezones=st.just(UTC),
)
APRIL = Period(datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))


@st.composite
def moments(draw: st.DrawFn) -> tuple[Period, datetime]:
    """A period, and a time within it or on one of its ends."""
    at = draw(instants)
    period = period_containing(draw(instants), at, draw(st.sampled_from([1, 3, 12])))
    return period, draw(st.sampled_from([at, period.start, period.end, period.end - MICROSECOND]))


@quick
@given(amounts, moments())
def test_the_unused_share_equals_the_oracles(amount: Decimal, moment: tuple[Period, datetime]) -> None:
    """P10: the share is by microseconds, and rounded half-up once."""
    period, at = moment
    left = MANY_DIGITS.multiply(amount, Decimal((period.end - at) // MICROSECOND))
    exact = MANY_DIGITS.divide(left, Decimal((period.end - period.start) // MICROSECOND))
    assert prorate(amount, period, at) == MANY_DIGITS.quantize(exact, NANO)


@quick
@given(amounts, moments())
def test_credit_and_used_share_are_the_whole(amount: Decimal, moment: tuple[Period, datetime]) -> None:
    """P10: nothing is lost between what is given back and what is kept, and neither outgrows the whole."""
    period, at = moment
    credit = prorate(amount, period, at)
    used = amount - credit
    assert credit + used == amount
    assert abs(credit) + abs(used) == abs(amount)


@quick
@given(amounts, moments())
def test_a_correction_mirrors_its_charge(amount: Decimal, moment: tuple[Period, datetime]) -> None:
    """P10: undoing a proration gives back exactly what it took."""
    period, at = moment
    assert prorate(-amount, period, at) == -prorate(amount, period, at)


@quick
@given(amounts, moments(), st.timedeltas(timedelta(0), timedelta(days=20)))
def test_later_is_less(amount: Decimal, moment: tuple[Period, datetime], delay: timedelta) -> None:
    """P10: the unused share never grows with time."""
    period, at = moment
    assert abs(prorate(amount, period, at + delay)) <= abs(prorate(amount, period, at))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (APRIL.start - timedelta(days=3), "9.000000000"),
        (APRIL.start, "9.000000000"),
        (APRIL.start + timedelta(days=10), "6.000000000"),
        (APRIL.start + timedelta(days=15, seconds=1), "4.499996528"),
        (APRIL.end - MICROSECOND, "0.000000000"),
        (APRIL.end, "0.000000000"),
        (APRIL.end + timedelta(days=3), "0.000000000"),
    ],
)
def test_worked_examples(at: datetime, expected: str) -> None:
    """P10: 9.00 for April at several times; outside the period it is all or nothing."""
    assert format_amount(prorate(Decimal("9.00"), APRIL, at)) == expected


@quick
@given(amounts, amounts, moments())
def test_a_preview_is_the_difference(old: Decimal, new: Decimal, moment: tuple[Period, datetime]) -> None:
    """P10: what is shown before a change is confirmed adds up, and the way back costs the opposite."""
    period, at = moment
    preview = preview_change(old_amount=old, new_amount=new, period=period, at=at)
    assert preview == ProrationPreview(
        credit=prorate(old, period, at), charge=prorate(new, period, at), net=preview.charge - preview.credit
    )
    assert preview_change(old_amount=new, new_amount=old, period=period, at=at).net == -preview.net


def test_switching_to_own_keys_halfway() -> None:
    """K11: from 20.00 to 9.00 in the middle of April gives half the difference back."""
    middle = APRIL.start + timedelta(days=15)
    preview = preview_change(old_amount=Decimal(20), new_amount=Decimal(9), period=APRIL, at=middle)
    assert preview == ProrationPreview(credit=Decimal(10), charge=Decimal("4.5"), net=Decimal("-5.5"))


@pytest.mark.parametrize("amount", ["NaN", "Infinity"])
def test_an_endless_amount_has_no_share(amount: str) -> None:
    """M11: NaN and infinity never become money."""
    with pytest.raises(ValueError, match="finite"):
        prorate(Decimal(amount), APRIL, APRIL.start)


def test_a_naive_time_is_refused() -> None:
    """P5: nobody guesses the zone of a change."""
    with pytest.raises(ValueError, match="UTC offset"):
        prorate(Decimal(1), APRIL, APRIL.start.replace(tzinfo=None))
