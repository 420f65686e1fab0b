"""The billing periods that an account has had (P5)."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from billing.core.periods import Period, period_containing
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import Subscription
from billing.usage.models import PeriodRollup, UsageDelta

_INSTANT = timedelta(microseconds=1)


class _Span(NamedTuple):
    """From `start` until just before `end` periods are counted from `anchor`, for recorded events too (U6).

    A subscription's lasts until the next one, also where it has ended before; the last one's has no end.
    """

    anchor: datetime
    start: datetime
    end: datetime

    def period(self, at: datetime) -> Period:
        """The period of an instant of the span, which ends with it at the latest."""
        period = period_containing(self.anchor, at)
        return Period(period.start, min(period.end, self.end))


def periods_of(account_id: UUID, at: datetime, most: int = 24) -> list[Period]:
    """The present period, then the one before it, back to the account's first; by the plan's dates of then.

    A plan's last period ends when another plan begins, where that one begins periods of its own. A period that a plan
    goes on with after another plan is one period: the other plan's lie inside of it, and come after it here. Last are
    the periods before the first plan in which something was used (U6). Raises NoActivePlan where the account had no
    plan by `at`.
    """
    spans = _spans(account_id, at)
    periods = list(islice(_walk(spans, at), most))
    if len(periods) < most:
        periods += islice(_before(account_id, spans[0]), most - len(periods))
    return periods


def period_at(*, account_id: UUID, instant: datetime, at: datetime) -> Period:
    """The account's period that an instant lies in, also one before its first plan; raises NoActivePlan.

    By the subscriptions up to `at`: it is the period that an event of this instant is recorded in.
    """
    spans = _spans(account_id, at)
    place = max(bisect_right(spans, instant, key=lambda span: span.start) - 1, 0)
    found = spans[place].period(instant)
    for span in reversed(spans[place + 1 :]):
        if span.period(span.start).start == found.start:
            return span.period(span.start)
    return found


def boundary_after(account_id: UUID, instant: datetime) -> datetime:
    """Where the period that the account is in at an instant gives way to another one, by all plans that are known.

    A change of plan that goes on with the period is no boundary. Raises NoActivePlan where it never had a plan.
    """
    spans = _spans(account_id, datetime.max.replace(tzinfo=UTC))
    place = max(bisect_right(spans, instant, key=lambda span: span.start) - 1, 0)
    period = spans[place].period(instant)
    for span in spans[place + 1 :]:
        if span.start != period.end or span.period(span.start).start != period.start:
            break
        period = span.period(span.start)
    return period.end


def first_period_start(account_id: UUID) -> datetime:
    """When the account's first period began, or the first in which something was used (U6); raises NoActivePlan."""
    first = _spans(account_id, datetime.max.replace(tzinfo=UTC))[0]
    begins = first.period(first.start)
    earlier = _before(account_id, first)
    return earlier[-1].start if earlier else begins.start


def _spans(account_id: UUID, at: datetime) -> list[_Span]:
    history = Subscription.objects.filter(account_id=account_id, starts_at__lte=at).order_by("starts_at")
    rows = list(history.values_list("anchor", "starts_at"))
    if not rows:
        raise NoActivePlan(f"Account {account_id} had no subscription by {at:%Y-%m-%d %H:%M} UTC.")
    ends = [start for _, start in rows[1:]] + [datetime.max.replace(tzinfo=UTC)]
    return [_Span(anchor, start, end) for (anchor, start), end in zip(rows, ends, strict=True)]


def _walk(spans: Sequence[_Span], at: datetime) -> Iterator[Period]:
    """Each period once, as it is at its end, the one that ended last first."""
    known: set[datetime] = set()
    for span in reversed(spans):
        last = min(at, span.end - _INSTANT)
        while last >= span.start:
            period = span.period(last)
            if period.start not in known:
                known.add(period.start)
                yield period
            last = period.start - _INSTANT


def _before(account_id: UUID, first: _Span) -> list[Period]:
    """The periods before the first plan's in which something was used, the latest first; one query.

    They are counted by the first plan's dates. A month of a later plan may have begun before the first plan as well.
    """
    earlier = {"account_id": account_id, "period_start__lt": first.period(first.start).start}
    used = PeriodRollup.objects.filter(**earlier).values_list("period_start")
    waiting = UsageDelta.objects.filter(**earlier).values_list("period_start")
    starts = [start for (start,) in used.union(waiting).order_by("-period_start")]
    return [period for start in starts if (period := first.period(start)).start == start]
