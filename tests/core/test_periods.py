"""Periods: anchors, boundaries and days, against dateutil's own month arithmetic (P5)."""

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.core.periods import Period, as_utc, boundary, day_containing, month_anchor, period_containing

quick = settings(deadline=None, max_examples=100)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


FIRST, LAST = (utc(year, 1, 1).replace(tzinfo=None) for year in (1990, 2090))
zones = st.sampled_from(["UTC", "Pacific/Kiritimati", "Asia/Kathmandu", "America/New_York", "Europe/Berlin"])
times = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
zoned_times = st.datetimes(FIRST, LAST, timezones=zones.map(ZoneInfo))
month_ends = st.builds(
    lambda anchor, day, month: anchor.replace(month=month, day=day),
    times,
    st.sampled_from([29, 30, 31]),
    st.sampled_from([1, 3, 5, 7, 8, 10, 12]),
)
anchors = times | month_ends
lengths = st.sampled_from([1, 2, 3, 6, 12])


@quick
@given(anchors, st.integers(-600, 600), lengths)
def test_boundaries_equal_the_oracles(anchor: datetime, n: int, months: int) -> None:
    """P5: the n-th boundary is the anchor moved by whole months, clamped to the month's end."""
    assert boundary(anchor, n, months) == anchor + relativedelta(months=n * months)


@quick
@given(anchors, times, lengths)
def test_the_period_of_a_time_contains_it(anchor: datetime, at: datetime, months: int) -> None:
    """P5: the period found has the time in it, and both of its ends are boundaries of the anchor."""
    period = period_containing(anchor, at, months)
    assert period.contains(at)
    assert period.start <= at < period.end
    n = round((period.start - anchor) / timedelta(days=30.436875 * months))
    assert (period.start, period.end) == (boundary(anchor, n, months), boundary(anchor, n + 1, months))


@quick
@given(anchors, times, lengths)
def test_periods_tile_time(anchor: datetime, at: datetime, months: int) -> None:
    """P5: each period starts in the instant that the one before it ends; no instant is in two or in none."""
    period = period_containing(anchor, at, months)
    instant = timedelta(microseconds=1)
    assert period_containing(anchor, period.end, months).start == period.end
    assert period_containing(anchor, period.start - instant, months).end == period.start
    assert period_containing(anchor, period.end - instant, months) == period
    assert not period.contains(period.end)
    assert not period.contains(period.start - instant)


@quick
@given(anchors, times)
def test_first_period_longer_than_a_month(anchor: datetime, at: datetime) -> None:
    """P5: no period, the first included, is longer than 31 days or shorter than 28."""
    for period in (period_containing(anchor, anchor), period_containing(anchor, at)):
        assert timedelta(days=28) <= period.end - period.start <= timedelta(days=31)
    assert period_containing(anchor, anchor).start == anchor


def test_signup_on_the_31st() -> None:
    """P5: the 31st clamps to the end of a shorter month and comes back; the time of day is kept."""
    anchor = utc(2025, 1, 31, 17, 30)
    days = [boundary(anchor, n) for n in range(6)]
    assert [(d.month, d.day) for d in days] == [(1, 31), (2, 28), (3, 31), (4, 30), (5, 31), (6, 30)]
    assert {(d.hour, d.minute) for d in days} == {(17, 30)}


@pytest.mark.parametrize(("day", "expected"), [(29, [29, 28, 29]), (30, [30, 28, 30]), (31, [31, 28, 31])])
def test_late_days_clamp_in_february_and_come_back(day: int, expected: list[int]) -> None:
    """P5: days 29, 30 and 31 each keep their own day after February."""
    assert [boundary(utc(2026, 1, day), n).day for n in range(3)] == expected


def test_leap_day() -> None:
    """P5: a yearly anchor on 29 February clamps to the 28th and comes back in the next leap year."""
    anchor = utc(2024, 2, 29, 8)
    assert [boundary(anchor, n, 12).day for n in range(5)] == [29, 28, 28, 28, 29]
    assert boundary(anchor, 1) == utc(2024, 3, 29, 8)
    assert period_containing(utc(2024, 1, 30), utc(2024, 2, 29)) == Period(utc(2024, 2, 29), utc(2024, 3, 30))


def test_dst_change_in_the_tenants_zone() -> None:
    """P5: a clock change where the tenant lives neither moves a boundary nor repeats an hour."""
    berlin = ZoneInfo("Europe/Berlin")
    anchor = datetime(2026, 3, 15, 2, 30, tzinfo=berlin)  # 01:30 UTC; clocks change on 29 March and 25 October
    assert [boundary(anchor, n) for n in (1, 8)] == [utc(2026, 4, 15, 1, 30), utc(2026, 11, 15, 1, 30)]
    first, second = (datetime(2026, 10, 25, 2, 30, fold=fold, tzinfo=berlin) for fold in (0, 1))
    period = Period(utc(2026, 10, 25), utc(2026, 10, 25, 1))
    assert period.contains(first)
    assert not period.contains(second)


def test_account_east_of_utc_is_invoiced_twice() -> None:
    """P5: the same instant written east of UTC lies in the same one period and day."""
    east = timezone(timedelta(hours=14))
    anchor = datetime(2026, 2, 1, 3, tzinfo=east)  # still 31 January in UTC
    assert month_anchor(anchor) == utc(2026, 1, 31)
    close = datetime(2026, 3, 1, 0, tzinfo=east)
    assert period_containing(anchor, close) == period_containing(as_utc(anchor), as_utc(close))
    assert day_containing(close) == Period(utc(2026, 2, 28), utc(2026, 3, 1))


@quick
@given(zoned_times, zoned_times)
def test_zones_make_no_difference(anchor: datetime, at: datetime) -> None:
    """P5: each result is that of the same instants written in UTC, and is in UTC."""
    period = period_containing(anchor, at)
    assert period == period_containing(anchor.astimezone(UTC), at.astimezone(UTC))
    assert period.contains(at)
    assert {period.start.tzinfo, period.end.tzinfo, month_anchor(at).tzinfo, boundary(anchor, 1).tzinfo} == {UTC}


@quick
@given(zoned_times)
def test_days_are_of_utc(at: datetime) -> None:
    """P5: a day starts at midnight UTC and lasts 24 hours."""
    day = day_containing(at)
    assert day.contains(at)
    assert day.end - day.start == timedelta(hours=24)
    assert day.start == month_anchor(at)
    assert (day.start.hour, day.start.minute, day.start.second, day.start.microsecond) == (0, 0, 0, 0)


@quick
@given(times, st.lists(st.timedeltas(timedelta(microseconds=1), timedelta(days=40)), min_size=3, max_size=3))
def test_the_elapsed_share(start: datetime, steps: list[timedelta]) -> None:
    """P10: the share is that of the microseconds, exactly."""
    period = Period(start, start + sum(steps, timedelta()))
    microseconds = [(step.days * 86_400 + step.seconds) * 10**6 + step.microseconds for step in steps]
    assert period.fraction_elapsed(start + steps[0]) == Fraction(microseconds[0], sum(microseconds))


def test_the_elapsed_share_outside_the_period() -> None:
    """P10: nothing has passed before the start, everything from the end on."""
    period = Period(utc(2026, 4, 1), utc(2026, 5, 1))
    at = [utc(2026, 3, 1), period.start, utc(2026, 4, 16), period.end, utc(2026, 6, 1)]
    assert [period.fraction_elapsed(each) for each in at] == [0, 0, Fraction(1, 2), 1, 1]


def test_naive_times_are_refused() -> None:
    """P5: nobody guesses the zone of a time."""
    aware = utc(2026, 1, 1)
    naive = aware.replace(tzinfo=None)
    period = Period(aware, utc(2026, 2, 1))
    for refused in (
        lambda: as_utc(naive),
        lambda: month_anchor(naive),
        lambda: boundary(naive, 1),
        lambda: period_containing(naive, aware),
        lambda: period_containing(aware, naive),
        lambda: day_containing(naive),
        lambda: period.contains(naive),
        lambda: period.fraction_elapsed(naive),
        lambda: Period(naive, aware),
        lambda: Period(aware, naive),
    ):
        with pytest.raises(ValueError, match="UTC offset"):
            refused()


def test_periods_that_cannot_be() -> None:
    """P5: an empty or reversed period, one of no months, and one beyond the calendar are ValueErrors."""
    at, last = utc(2026, 1, 31), utc(9999, 12, 31, 23)
    for refused in (
        lambda: Period(at, at),
        lambda: Period(at, at - timedelta(days=1)),
        lambda: boundary(at, 1, 0),
        lambda: period_containing(at, at, 0),
        lambda: boundary(at, 12 * 8000),
        lambda: period_containing(at, last),
        lambda: day_containing(last),
        lambda: as_utc(last.replace(tzinfo=timezone(timedelta(hours=-12)))),
    ):
        with pytest.raises(ValueError, match=r"period|day|years"):
            refused()


def test_boundaries_ascend() -> None:
    """P5: a later boundary is a later time, before the anchor as after it."""
    assert all(a < b for a, b in pairwise(boundary(utc(2024, 12, 31), n) for n in range(-30, 30)))
