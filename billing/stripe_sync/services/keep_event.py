from datetime import UTC, datetime

from django.db import transaction
from django.db.models import F

from billing.stripe_sync.models import InboxEvent
from billing.stripe_sync.told_event import ToldEvent


@transaction.atomic
def keep_event(*, event: ToldEvent, at: datetime) -> InboxEvent:
    """Put an event of Stripe's into the inbox; one that is there already is only counted as delivered again (S4)."""
    thing = event.data.object
    kept, is_new = InboxEvent.objects.get_or_create(
        event_id=event.id,
        defaults={
            "type": event.type,
            "object_type": thing.object,
            "object_id": thing.id or "",
            "customer_id": event.customer_id,
            "connected_account": event.account or "",
            "livemode": event.livemode,
            "occurred_at": datetime.fromtimestamp(event.created, UTC),
            "received_at": at,
            "due_at": at,
        },
    )
    if not is_new:
        InboxEvent.objects.filter(id=kept.id).update(deliveries=F("deliveries") + 1)
    return kept
