"""Usage that was recorded after a moment, such as the closing of the period that it happened in (U6)."""

from datetime import datetime
from uuid import UUID

from billing.core.periods import Period
from billing.usage.models import UsageEvent


def late_events(*, account_id: UUID, period: Period, after: datetime) -> list[UsageEvent]:
    """The account's events of a period that were recorded later than `after`, reversals too, the first recorded first.

    What they come to is what the period's closed figures lack. Reads the period's events by their index.
    """
    events = UsageEvent.objects.filter(account_id=account_id, period_start=period.start, recorded_at__gt=after)
    return list(events.order_by("id"))
