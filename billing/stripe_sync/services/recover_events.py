from datetime import datetime, timedelta

import structlog
from django.db.models import Max

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.events import PLATFORM_EVENTS
from billing.stripe_sync.models import InboxEvent
from billing.stripe_sync.services.keep_event import keep_event
from billing.stripe_sync.told_event import MisshapenEvent, read_event

_log = structlog.get_logger(__name__)
_OVERLAP = timedelta(hours=3)  # events that were still on their way when the last run looked
_LONGEST_LOOK = timedelta(days=3)


def recover_events(*, at: datetime) -> int:
    """Put events into the inbox whose webhook never came; answers how many (S4, S5).

    Stripe lists its events for 30 days. We look back to shortly before the newest that came, three days at most: what
    is older, or cannot be read, the comparison of the accounts themselves finds. Raises StripeNotConfigured,
    stripe.StripeError.
    """
    newest = InboxEvent.objects.aggregate(newest=Max("occurred_at"))["newest"]
    since = max(min(newest or at, at) - _OVERLAP, at - _LONGEST_LOOK)
    listed = stripe_client().v1.events.list({"created": {"gte": int(since.timestamp())}, "limit": 100})
    events = {event.id: event for event in listed.auto_paging_iter() if event.type in PLATFORM_EVENTS}
    came = InboxEvent.objects.filter(event_id__in=events).values_list("event_id", flat=True)
    lost = events.keys() - set(came)
    for event_id in sorted(lost, key=lambda event_id: events[event_id].created):
        try:
            keep_event(event=read_event(str(events[event_id])), at=at)
        except MisshapenEvent as error:
            _log.warning("event_misshapen", stripe_event=event_id, error=str(error))
    return len(lost)
