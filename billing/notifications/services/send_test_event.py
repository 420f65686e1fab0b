from datetime import datetime
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from billing.core.ids import encode_id
from billing.notifications.event_types import EventType
from billing.notifications.models import WebhookDelivery, WebhookEvent
from billing.notifications.services.publish_events import delivery_of
from billing.notifications.webhook_rows import audit_endpoint, lock_endpoint, require_enabled
from tenants.models import Tenant
from tenants.services.record_audit import Actor


@transaction.atomic
def send_test_event(*, tenant_id: UUID, endpoint_id: UUID, actor: Actor, at: datetime) -> WebhookDelivery:
    """Send an event that tells of nothing to one endpoint, whichever types it wants (N1).

    Raises WebhookEndpoint.DoesNotExist, and the problem webhook-endpoint-disabled.
    """
    endpoint = lock_endpoint(tenant_id, endpoint_id)
    require_enabled(endpoint)
    event_id, public_id = uuid7(), encode_id("whe", endpoint.id)
    event = WebhookEvent.objects.create(
        id=event_id,
        tenant_id=tenant_id,
        type=EventType.WEBHOOK_ENDPOINT_TEST.value,
        object_id=encode_id("msg", event_id),  # of no object: nothing that waits holds it up
        key=f"test:{event_id.hex}",
        data={"tenant": Tenant.objects.values_list("slug", flat=True).get(id=tenant_id), "endpoint": public_id},
        occurred_at=at,
        created_at=at,
    )
    delivery = delivery_of(event, endpoint, at)
    delivery.save(force_insert=True)
    audit_endpoint(endpoint, "tested", actor=actor, at=at)
    return delivery
