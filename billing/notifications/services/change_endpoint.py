from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.notifications.models import WebhookEndpoint
from billing.notifications.webhook_rows import (
    audit_endpoint,
    checked_description,
    checked_types,
    checked_url,
    is_slow_for_now,
    lock_endpoint,
)
from tenants.services.record_audit import Actor
from vault.outbound.resolving import Resolve, addresses_of


def change_endpoint(
    *,
    tenant_id: UUID,
    endpoint_id: UUID,
    url: str | None = None,
    description: str | None = None,
    event_types: Iterable[str] | None = None,
    actor: Actor,
    at: datetime,
    resolve: Resolve = addresses_of,
) -> WebhookEndpoint:
    """Change what is given; what is pending goes to the new address (N1). The same again changes nothing.

    Raises WebhookEndpoint.DoesNotExist and the problems webhook-address-not-allowed, unknown-event-type,
    invalid-request.
    """
    given = {
        "url": None if url is None else checked_url(url, resolve=resolve),
        "description": None if description is None else checked_description(description),
        "event_types": None if event_types is None else checked_types(event_types),
    }
    with transaction.atomic():
        endpoint = lock_endpoint(tenant_id, endpoint_id)
        changed = [name for name, value in given.items() if value is not None and getattr(endpoint, name) != value]
        for name in changed:
            setattr(endpoint, name, given[name])
        if "url" in changed:
            # What was known of the old address says nothing of the new one.
            endpoint.failing_since, endpoint.is_slow, endpoint.rests_until = None, is_slow_for_now(endpoint, at), None
        if changed:
            endpoint.save(update_fields=[*changed, "failing_since", "is_slow", "rests_until"])
            audit_endpoint(endpoint, "changed", actor=actor, at=at, changed=changed)
    return endpoint
