from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.notifications.models import WebhookEndpoint
from billing.notifications.services.disable_endpoint import switch_off
from billing.notifications.webhook_rows import audit_endpoint, erase_secrets, lock_endpoint
from tenants.services.record_audit import Actor


@transaction.atomic
def remove_endpoint(*, tenant_id: UUID, endpoint_id: UUID, actor: Actor, at: datetime) -> None:
    """End an endpoint for good: nothing is sent any more, its secrets are erased, its log is kept for its time (N1).

    Raises WebhookEndpoint.DoesNotExist.
    """
    endpoint = lock_endpoint(tenant_id, endpoint_id)
    if endpoint.state == WebhookEndpoint.State.ENABLED:
        switch_off(endpoint, WebhookEndpoint.Reason.MEMBER, at)
    erased = endpoint.secret_id, endpoint.previous_secret_id
    endpoint.secret = endpoint.previous_secret = endpoint.previous_until = None
    endpoint.removed_at = at
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until", "removed_at"])
    erase_secrets(*erased, at=at)
    audit_endpoint(endpoint, "removed", actor=actor, at=at)
