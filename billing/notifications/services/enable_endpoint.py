from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.notifications.models import WebhookEndpoint
from billing.notifications.webhook_rows import audit_endpoint, cancel_pending, is_slow_for_now, lock_endpoint
from tenants.services.record_audit import Actor


@transaction.atomic
def enable_endpoint(*, tenant_id: UUID, endpoint_id: UUID, actor: Actor, at: datetime) -> WebhookEndpoint:
    """Send events from now on, as if nothing had failed before; those of the time in between are not sent (N1).

    Raises WebhookEndpoint.DoesNotExist.
    """
    endpoint = lock_endpoint(tenant_id, endpoint_id)
    if endpoint.state == WebhookEndpoint.State.ENABLED:
        return endpoint
    cancel_pending(endpoint)  # what was being written while it was switched off
    endpoint.state, endpoint.disabled_reason, endpoint.disabled_at = WebhookEndpoint.State.ENABLED, "", None
    endpoint.failing_since, endpoint.is_slow, endpoint.rests_until = None, is_slow_for_now(endpoint, at), None
    endpoint.save(update_fields=["state", "disabled_reason", "disabled_at", "failing_since", "is_slow", "rests_until"])
    audit_endpoint(endpoint, "enabled", actor=actor, at=at)
    return endpoint
