from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.notifications.models import WebhookEndpoint
from billing.notifications.webhook_rows import erase_secrets


def end_secret_overlaps(*, at: datetime) -> int:
    """Erase replaced secrets of endpoints whose time is over; answers how many (N1)."""
    due = WebhookEndpoint.objects.filter(previous_until__lte=at).order_by("previous_until").values_list("id", flat=True)
    return sum(_end(endpoint_id, at) for endpoint_id in list(due))


@transaction.atomic
def _end(endpoint_id: UUID, at: datetime) -> bool:
    """One that somebody else is at is due again next time."""
    free = WebhookEndpoint.objects.select_for_update(skip_locked=True, no_key=True)
    endpoint = free.filter(id=endpoint_id, previous_until__lte=at).first()
    if endpoint is None:
        return False
    erased = endpoint.previous_secret_id
    endpoint.previous_secret = endpoint.previous_until = None
    endpoint.save(update_fields=["previous_secret", "previous_until"])
    erase_secrets(erased, at=at)
    return True
