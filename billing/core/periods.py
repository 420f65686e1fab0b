"""Billing periods: half-open spans of UTC time, counted from an anchor (P5).

A boundary is always computed from the anchor, never from the boundary before it. Hence a period that starts
on the 31st ends on the last day of a shorter month and comes back to the 31st, and n periods never drift.
Time zones of tenants play no part: an aware time of any zone is converted to UTC first, a naive one refused.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

_MICROSECOND = timedelta(microseconds=1)


def as_utc(at: datetime) -> datetime:
    """Convert an aware time to UTC. Raises ValueError for a naive time or one outside the years 1 to 9999."""
    if at.utcoffset() is None:
        raise ValueError("A time needs a UTC offset.")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("A time lies in the years 1 to 9999 in UTC.") from None


@dataclass(frozen=True, slots=True)
class Period:
    """The half-open span [start, end) of UTC time, so that periods tile without gap or overlap.

    Aware times of other zones are converted. Raises ValueError for naive times and unless start < end.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", as_utc(self.start))
        object.__setattr__(self, "end", as_utc(self.end))
        if self.start >= self.end:
            raise ValueError("A period ends after it starts.")

    def contains(self, at: datetime) -> bool:
        """Tell whether the time lies in the period: its start does, its end does not."""
        return self.start <= as_utc(at) < self.end

    def fraction_elapsed(self, at: datetime) -> Fraction:
        """Share of the period that has passed, exact to the microsecond: 0 before its start, 1 from its end."""
        elapsed = min(max(as_utc(at), self.start), self.end) - self.start
        return Fraction(elapsed // _MICROSECOND, (self.end - self.start) // _MICROSECOND)


def month_anchor(at: datetime) -> datetime:
    """Anchor of a free account: midnight UTC of the day of sign-up (P5)."""
    return as_utc(at).replace(hour=0, minute=0, second=0, microsecond=0)


def boundary(anchor: datetime, n: int, months: int = 1) -> datetime:
    """Give the n-th boundary after the anchor (before it where n is negative), each `months` apart.

    Days 29 to 31 clamp to the end of a shorter month and come back; the anchor's time of day is kept.
    Raises ValueError for a naive anchor, months < 1, or a boundary outside the years 1 to 9999.
    """
    if months < 1:
        raise ValueError("A period is at least one month long.")
    anchor = as_utc(anchor)
    year, month_index = divmod(anchor.year * 12 + anchor.month - 1 + n * months, 12)
    if not 1 <= year <= 9999:
        raise ValueError("A period lies in the years 1 to 9999.")
    month = month_index + 1
    return anchor.replace(year=year, month=month, day=min(anchor.day, calendar.monthrange(year, month)[1]))


def period_containing(anchor: datetime, at: datetime, months: int = 1) -> Period:
    """Give the period, of those that the anchor's boundaries tile time into, that the time lies in.

    Raises ValueError as `boundary` does.
    """
    if months < 1:
        raise ValueError("A period is at least one month long.")
    anchor, at = as_utc(anchor), as_utc(at)
    n = ((at.year - anchor.year) * 12 + at.month - anchor.month) // months
    # The n-th boundary lies in the month of `at` or before it, the next one in a later month.
    start = boundary(anchor, n, months)
    if start > at:
        return Period(boundary(anchor, n - 1, months), start)
    return Period(start, boundary(anchor, n + 1, months))


def day_containing(at: datetime) -> Period:
    """Give the UTC day that the time lies in: the period of daily counters and caps (P3, M9).

    Raises ValueError for a naive time or the last day of the year 9999.
    """
    start = month_anchor(at)
    try:
        return Period(start, start + timedelta(days=1))
    except OverflowError:
        raise ValueError("A day ends in the years 1 to 9999.") from None
