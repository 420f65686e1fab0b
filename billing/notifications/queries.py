"""Reading webhooks: endpoints, what was sent to them, and what came back (N1)."""

import json
from datetime import UTC, datetime
from typing import TypedDict, Unpack
from uuid import UUID

from django.db.models import QuerySet

from billing.notifications.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent


def endpoints_of(tenant_id: UUID) -> QuerySet[WebhookEndpoint]:
    """The tenant's endpoints in the order in which they were made, without removed ones."""
    return WebhookEndpoint.objects.filter(tenant_id=tenant_id, removed_at=None).order_by("id")


def find_endpoint(tenant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    """Raises WebhookEndpoint.DoesNotExist for one that is removed, or another tenant's."""
    return endpoints_of(tenant_id).get(id=endpoint_id)


class Wanted(TypedDict, total=False):
    """Which deliveries: in this state, of events of this type; empty for all."""

    state: str
    type: str


def deliveries_of(
    endpoint: WebhookEndpoint, *, limit: int, before: UUID | None = None, **wanted: Unpack[Wanted]
) -> list[WebhookDelivery]:
    """The endpoint's deliveries with their events, the newest first; `before` is the last one of the page before."""
    rows = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("event").order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    if state := wanted.get("state"):
        rows = rows.filter(state=state)
    if kind := wanted.get("type"):
        rows = rows.filter(event__type=kind)
    return list(rows[:limit])


def find_delivery(endpoint: WebhookEndpoint, delivery_id: UUID) -> WebhookDelivery:
    """With its event. Raises WebhookDelivery.DoesNotExist."""
    return WebhookDelivery.objects.select_related("event").get(endpoint=endpoint, id=delivery_id)


def attempts_of(delivery: WebhookDelivery) -> list[WebhookAttempt]:
    """The tries of a delivery, the latest first."""
    return list(WebhookAttempt.objects.filter(delivery=delivery).order_by("-id"))


def body_of(event: WebhookEvent) -> bytes:
    """Exactly what is sent and signed, at each try and to each endpoint."""
    body = {"type": event.type, "timestamp": written_time(event.occurred_at), "data": event.data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def written_time(at: datetime) -> str:
    """A time as the bodies of events have it: RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
