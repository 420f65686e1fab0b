"""What is read of the work with Stripe."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q

from billing.stripe_sync.models import InboxEvent


@dataclass(frozen=True, slots=True)
class InboxLag:
    """How far behind the inbox is: events waiting, given up, and how long the oldest that waits has been here."""

    waiting: int
    failed: int
    oldest: timedelta


def inbox_lag(*, at: datetime) -> InboxLag:
    """The inbox at a moment, by its partial indexes or a count (S4)."""
    state = InboxEvent.State
    found = InboxEvent.objects.filter(state__in=[state.PENDING, state.FAILED]).aggregate(
        waiting=Count("id", filter=Q(state=state.PENDING)),
        failed=Count("id", filter=Q(state=state.FAILED)),
        since=Min("received_at", filter=Q(state=state.PENDING)),
    )
    oldest = max(at - found["since"], timedelta()) if found["since"] else timedelta()
    return InboxLag(found["waiting"], found["failed"], oldest)
