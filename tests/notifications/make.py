"""Webhook endpoints and what was sent to them, written as the services write them; secrets need the `vault` fixture."""

import json
from datetime import datetime
from itertools import count
from typing import Any

from billing.core.ids import encode_id
from billing.notifications.event_types import EventType
from billing.notifications.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from billing.notifications.services.create_endpoint import create_endpoint
from billing.notifications.services.publish_events import delivery_of
from tenants.models import Tenant
from tenants.services.record_audit import SYSTEM
from tests.make import AT

URL = "https://93.184.216.34/hooks"
_numbers = count(1)


def make_endpoint(tenant: Tenant, *event_types: EventType, at: datetime = AT, **fields: Any) -> WebhookEndpoint:
    """An endpoint at a public address; `fields` are written over what a new one has."""
    endpoint, _ = create_endpoint(tenant_id=tenant.id, url=URL, event_types=event_types, actor=SYSTEM, at=at)
    for name, value in fields.items():
        setattr(endpoint, name, value)
    if fields:
        endpoint.save(update_fields=list(fields))
    return endpoint


def make_delivery(
    endpoint: WebhookEndpoint, kind: EventType = EventType.BALANCE_LOW, *, at: datetime = AT, **fields: Any
) -> WebhookDelivery:
    """An event of the type's example on its way to one endpoint; `fields` are of the delivery."""
    number = next(_numbers)
    event = WebhookEvent.objects.create(
        tenant_id=endpoint.tenant_id,
        type=kind.value,
        object_id=encode_id("acc", endpoint.tenant_id),
        key=f"made:{number}",
        data=json.loads(json.dumps(kind.example, default=dict)),
        occurred_at=at,
        created_at=at,
    )
    delivery = delivery_of(event, endpoint, at)
    for name, value in fields.items():
        setattr(delivery, name, value)
    delivery.save(force_insert=True)
    return delivery


def make_attempt(delivery: WebhookDelivery, status_code: int | None = 200, **fields: Any) -> WebhookAttempt:
    """A try; without a status nobody answered."""
    values = {"at": AT, "answer": "ok", "duration_ms": 12} | fields
    return WebhookAttempt.objects.create(delivery=delivery, status_code=status_code, **values)
