from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from billing.stripe_sync.models import InboxEvent


@transaction.atomic
def keep_event(*, event: Mapping[str, Any], at: datetime) -> InboxEvent:
    """Put an event of Stripe's into the inbox; one that is there already is only counted as delivered again (S4)."""
    thing = event["data"]["object"]
    kept, is_new = InboxEvent.objects.get_or_create(
        event_id=event["id"],
        defaults={
            "type": event["type"],
            "object_type": thing.get("object", ""),
            "object_id": thing.get("id") or "",
            "customer_id": _customer_of(thing) or _customer_of(event["data"].get("previous_attributes") or {}),
            "connected_account": event.get("account") or "",
            "livemode": event["livemode"],
            "occurred_at": datetime.fromtimestamp(event["created"], UTC),
            "received_at": at,
            "due_at": at,
        },
    )
    if not is_new:
        InboxEvent.objects.filter(id=kept.id).update(deliveries=F("deliveries") + 1)
    return kept


def _customer_of(thing: Mapping[str, Any]) -> str:
    """The id of the customer that an object is of; an expanded one is an object itself.

    A card that was taken away names its customer among the previous attributes alone.
    """
    if thing.get("object") == "customer":
        return str(thing["id"])
    customer = thing.get("customer") or ""
    return str(customer.get("id", "") if isinstance(customer, Mapping) else customer)
