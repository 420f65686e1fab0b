"""When billing periods begin and end: whole intervals counted from the billing cycle anchor, in UTC."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

from sandbox.stripe.values import Json

DAY = 86_400
MONTHS = {"month": 1, "year": 12}
DAYS = {"day": 1, "week": 7}


def boundary(anchor: int, recurring: Json, steps: int) -> int:
    """Give the instant that lies this many intervals after the anchor (before it, if negative).

    A day that a month lacks becomes its last one; the months after it keep the anchor's own day.
    """
    intervals = int(recurring["interval_count"]) * steps
    start = datetime.fromtimestamp(anchor, UTC)
    if recurring["interval"] in DAYS:
        return int((start + timedelta(days=DAYS[recurring["interval"]] * intervals)).timestamp())
    months = start.year * 12 + start.month - 1 + MONTHS[recurring["interval"]] * intervals
    year, month = divmod(months, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def boundary_after(anchor: int, recurring: Json, at: int) -> int:
    """Give the first boundary that is later than the instant."""
    shortest = {"day": 1, "week": 7, "month": 28, "year": 365}[recurring["interval"]] * DAY
    steps = (at - anchor) // (shortest * int(recurring["interval_count"])) + 1
    while boundary(anchor, recurring, steps) > at:
        steps -= 1
    while boundary(anchor, recurring, steps) <= at:
        steps += 1
    return boundary(anchor, recurring, steps)


def boundary_before(anchor: int, recurring: Json, end: int) -> int:
    """Give the last boundary that is earlier than the instant: where the period that ends then begins."""
    shortest = {"day": 1, "week": 7, "month": 28, "year": 365}[recurring["interval"]] * DAY
    steps = (end - anchor) // (shortest * int(recurring["interval_count"])) + 1
    while boundary(anchor, recurring, steps) >= end:
        steps -= 1
    return boundary(anchor, recurring, steps)
