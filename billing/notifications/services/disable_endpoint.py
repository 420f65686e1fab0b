from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.notifications.models import WebhookEndpoint
from billing.notifications.webhook_rows import audit_endpoint, cancel_pending, lock_endpoint
from tenants.services.record_audit import Actor


@transaction.atomic
def disable_endpoint(*, tenant_id: UUID, endpoint_id: UUID, actor: Actor, at: datetime) -> WebhookEndpoint:
    """Send nothing to an endpoint until it is enabled again; what is pending is cancelled (N1).

    Raises WebhookEndpoint.DoesNotExist.
    """
    endpoint = lock_endpoint(tenant_id, endpoint_id)
    if endpoint.state == WebhookEndpoint.State.ENABLED:
        cancelled = switch_off(endpoint, WebhookEndpoint.Reason.MEMBER, at)
        audit_endpoint(endpoint, "disabled", actor=actor, at=at, cancelled=cancelled)
    return endpoint


def switch_off(endpoint: WebhookEndpoint, reason: WebhookEndpoint.Reason, at: datetime) -> int:
    """Under the lock of its row, whoever does it; answers how many deliveries are cancelled."""
    endpoint.state, endpoint.disabled_reason, endpoint.disabled_at = WebhookEndpoint.State.DISABLED, reason, at
    endpoint.save(update_fields=["state", "disabled_reason", "disabled_at"])
    return cancel_pending(endpoint)
