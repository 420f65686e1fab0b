from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.notifications.models import WebhookDelivery
from billing.notifications.webhook_rows import audit_endpoint, lock_endpoint, require_enabled
from tenants.services.record_audit import Actor

State = WebhookDelivery.State


@transaction.atomic
def redeliver(*, tenant_id: UUID, endpoint_id: UUID, delivery_id: UUID, actor: Actor, at: datetime) -> WebhookDelivery:
    """Send an event again, under the same id, with all its tries (N1); whatever became of it before.

    One that is still pending keeps its place in the order; another one neither waits nor is waited for. Raises
    WebhookEndpoint.DoesNotExist, WebhookDelivery.DoesNotExist, and the problem webhook-endpoint-disabled.
    """
    endpoint = lock_endpoint(tenant_id, endpoint_id)
    delivery = WebhookDelivery.objects.select_for_update(no_key=True).get(endpoint=endpoint, id=delivery_id)
    require_enabled(endpoint)
    before = delivery.state
    delivery.by_hand = delivery.by_hand or before != State.PENDING
    delivery.state, delivery.tries, delivery.due_at = State.PENDING, 0, at
    delivery.save(update_fields=["by_hand", "state", "tries", "due_at"])
    audit_endpoint(
        endpoint,
        "redelivered",
        actor=actor,
        at=at,
        delivery=encode_id("whd", delivery.id),
        event=encode_id("msg", delivery.event_id),
        before=before,
    )
    return delivery
