from datetime import datetime

from django.db import transaction

from tenants.models import Tenant
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def create_tenant(*, name: str, slug: str, timezone: str, at: datetime, actor: Actor) -> Tenant:
    """A new customer in an IANA time zone, without members, workspaces or billing.

    Raises ValidationError for a slug that is taken or none, or an unknown time zone.
    """
    tenant = Tenant(name=name, slug=slug, timezone=timezone, created_at=at)
    tenant.full_clean()
    tenant.save(force_insert=True)
    record_audit(tenant_id=tenant.id, actor=actor, action="tenant.created", target=slug, at=at)
    return tenant
