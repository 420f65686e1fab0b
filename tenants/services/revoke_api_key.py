from datetime import datetime
from uuid import UUID

from django.db import transaction

from tenants.models import ApiKey
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def revoke_api_key(*, tenant_id: UUID, key_id: UUID, at: datetime, actor: Actor) -> ApiKey:
    """Revoke a key of the tenant for good, from the next request on; a second time changes nothing.

    Raises ApiKey.DoesNotExist for an unknown or foreign key.
    """
    key = ApiKey.objects.select_for_update().get(tenant_id=tenant_id, id=key_id)
    if key.revoked_at is None:
        key.revoked_at = at
        key.save(update_fields=["revoked_at"])
        record_audit(
            tenant_id=tenant_id,
            actor=actor,
            action="api_key.revoked",
            target=str(key.id),
            at=at,
            detail={"name": key.name, "last_four": key.last_four},
        )
    return key
