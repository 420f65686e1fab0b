"""Endpoints and events for tests of webhooks; endpoints need a vault."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import count
from typing import Any

from django.db import connection

from billing.notifications.event_types import EventType
from billing.notifications.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from billing.notifications.services.create_endpoint import create_endpoint
from billing.notifications.services.deliver_webhooks import deliver_webhooks
from billing.notifications.services.publish_events import Fact, publish_events
from billing.notifications.webhook_claims import Lane
from tenants.models import Tenant
from tenants.services.record_audit import SYSTEM
from tests.make import AT
from vault.crypto.secret import Secret

_numbers = count(1)


def open_endpoint(
    tenant: Tenant, url: str, *, event_types: Sequence[str] = (), at: datetime = AT
) -> tuple[WebhookEndpoint, Secret]:
    return create_endpoint(tenant_id=tenant.id, url=url, event_types=event_types, actor=SYSTEM, at=at)


def fact(tenant: Tenant, object_id: str = "", *, kind: EventType = EventType.INVOICE_PAID, **data: Any) -> Fact:
    """Of an object of its own where none is named."""
    number = next(_numbers)
    return Fact(tenant.id, kind, object_id or f"inv_{number}", f"fact:{number}", data, AT)


def publish(tenant: Tenant, *objects: str, at: datetime = AT, **data: Any) -> list[WebhookEvent]:
    """One event for each object named, or one of an object of its own; in order."""
    facts = [fact(tenant, name, **data) for name in objects or ("",)]
    publish_events(facts, at=at)
    return list(WebhookEvent.objects.filter(key__in=[one.key for one in facts]).order_by("id"))


def deliver(at: datetime = AT, lane: Lane = Lane.REGULAR) -> int:
    """A worker's sweep through one lane."""
    return deliver_webhooks(at=at, lane=lane)


def deliver_all(at: datetime = AT) -> int:
    """Through both, as two workers would, until nothing is left."""
    return deliver(at, Lane.REGULAR) + deliver(at, Lane.SLOW) + deliver(at, Lane.REGULAR)


def at_once(*work: Callable[[], object]) -> None:
    """Each on a connection of its own, begun together."""
    barrier = threading.Barrier(len(work))

    def run(one: Callable[[], object]) -> None:
        try:
            barrier.wait(5)
            one()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        for future in [pool.submit(run, one) for one in work]:
            future.result()


def only_delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.select_related("event", "endpoint").get()


def fresh(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """As the database has it now."""
    return WebhookEndpoint.objects.get(id=endpoint.id)
