from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from billing.core.problems import FieldError, problem
from billing.notifications.queries import find_endpoint
from billing.notifications.webhook_rows import (
    audit_endpoint,
    erase_secrets,
    keep_secret,
    lock_endpoint,
    prepare_sealing,
)
from billing.notifications.webhook_signing import new_secret
from tenants.services.record_audit import Actor
from vault.crypto.secret import Secret

LONGEST_OVERLAP = timedelta(days=7)


def rotate_secret(
    *, tenant_id: UUID, endpoint_id: UUID, actor: Actor, at: datetime, overlap: timedelta = timedelta(hours=24)
) -> Secret:
    """Give an endpoint a new secret, shown once; for `overlap` events are signed with the old one as well (N1).

    One that was replaced before is erased at once: two are valid at most. Raises WebhookEndpoint.DoesNotExist, and the
    problems invalid-request and those of the vault.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        detail = f"A replaced secret is valid for at most {LONGEST_OVERLAP.days} days."
        raise problem("invalid-request", detail, errors=(FieldError("overlap_hours", "out-of-range", detail),))
    find_endpoint(tenant_id, endpoint_id)
    prepare_sealing(tenant_id)
    return _swap(tenant_id, endpoint_id, overlap, actor, at)


@transaction.atomic
def _swap(tenant_id: UUID, endpoint_id: UUID, overlap: timedelta, actor: Actor, at: datetime) -> Secret:
    endpoint = lock_endpoint(tenant_id, endpoint_id)
    secret, replaced, erased = new_secret(), endpoint.secret, endpoint.previous_secret_id
    endpoint.secret = keep_secret(tenant_id, secret, at)
    endpoint.previous_secret, endpoint.previous_until = (replaced, at + overlap) if overlap else (None, None)
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    erase_secrets(erased, None if overlap or replaced is None else replaced.id, at=at)
    audit_endpoint(endpoint, "secret_rotated", actor=actor, at=at, overlap_hours=overlap / timedelta(hours=1))
    return secret
