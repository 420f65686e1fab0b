"""The billing periods that an account has had (P5)."""

from bisect import bisect_right
from datetime import datetime, timedelta
from uuid import UUID

from billing.core.periods import Period, period_containing
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import Subscription

_INSTANT = timedelta(microseconds=1)


def periods_of(account_id: UUID, at: datetime, most: int = 24) -> list[Period]:
    """The present period, then the one before it, back to the account's first; by the plan's dates of then.

    A plan's last period ends when another plan begins, where that one begins periods of its own. Raises NoActivePlan
    where the account had no plan by `at`.
    """
    history = _history(account_id, at)
    periods: list[Period] = []
    while len(periods) < most and at >= history[0].starts_at:
        periods.append(_period_at(history, at))
        at = periods[-1].start - _INSTANT
    return periods


def period_at(*, account_id: UUID, instant: datetime, at: datetime) -> Period:
    """The account's period that an instant up to `at` lies in, also one before its first plan; raises NoActivePlan."""
    return _period_at(_history(account_id, at), instant)


def _history(account_id: UUID, at: datetime) -> list[Subscription]:
    history = list(Subscription.objects.filter(account_id=account_id, starts_at__lte=at).order_by("starts_at"))
    if not history:
        raise NoActivePlan(f"Account {account_id} had no subscription by {at:%Y-%m-%d %H:%M} UTC.")
    return history


def _period_at(history: list[Subscription], at: datetime) -> Period:
    """Where no subscription covers the instant, the one before it applies, before all the first, as to events (U6)."""
    place = max(bisect_right(history, at, key=lambda one: one.starts_at) - 1, 0)
    period = period_containing(history[place].anchor, at)
    for later in history[place + 1 :]:
        if later.starts_at >= period.end:
            break
        if period_containing(later.anchor, later.starts_at).start != period.start:
            return Period(period.start, later.starts_at)
    return period
