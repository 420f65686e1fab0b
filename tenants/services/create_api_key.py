from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from tenants.api_keys import digest_of, generate_key
from tenants.models import ApiKey
from tenants.permissions import Permission
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def create_api_key(
    *,
    tenant_id: UUID,
    name: str,
    scopes: Iterable[Permission],
    at: datetime,
    actor: Actor,
    workspace_id: UUID | None = None,
) -> tuple[ApiKey, str]:
    """A new key of the tenant, or of one workspace; returns the row and the plain text, which is never to be had again.

    The caller has looked the workspace up inside the tenant.
    """
    plain = generate_key()
    key = ApiKey.objects.create(
        tenant_id=tenant_id,
        workspace_id=workspace_id,
        name=name,
        digest=digest_of(plain),
        last_four=plain[-4:],
        scopes=sorted(set(scopes)),
        created_by_id=actor.user_id,
        created_at=at,
    )
    record_audit(
        tenant_id=tenant_id,
        actor=actor,
        action="api_key.created",
        target=str(key.id),
        at=at,
        detail={"name": name, "scopes": key.scopes, "last_four": key.last_four},
    )
    return key, plain
