from datetime import datetime
from uuid import UUID

from billing.stripe_sync.models import InboxEvent


def replay_event(*, event_id: UUID, at: datetime) -> InboxEvent:
    """Put an event back as if it had just come, whatever became of it (S4).

    Working on it reads Stripe afresh, so that an old one does no harm. `event_id` is our row's. Raises
    InboxEvent.DoesNotExist.
    """
    event = InboxEvent.objects.get(id=event_id)
    event.state, event.tries, event.due_at = InboxEvent.State.PENDING, 0, at
    event.processed_at, event.error = None, ""
    event.save(update_fields=["state", "tries", "due_at", "processed_at", "error"])
    return event
