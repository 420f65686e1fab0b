from datetime import datetime
from uuid import UUID

from django.db import transaction

from tenants.models import Membership
from tenants.permissions import Role
from tenants.services.guard_owners import lock_members, require_another_owner, require_owner_for
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def change_role(*, tenant_id: UUID, user_id: int, role: Role, actor: Actor, at: datetime) -> Membership:
    """Give a member another role, from their next click on (F4).

    Raises Membership.DoesNotExist for nobody of the tenant, LastOwner, OwnersOnly.
    """
    lock_members(tenant_id)
    membership = Membership.objects.select_related("user").get(tenant_id=tenant_id, user_id=user_id)
    require_owner_for(membership.role, role, tenant_id=tenant_id, actor=actor)
    if membership.role == role:
        return membership
    require_another_owner(membership)
    before, membership.role = membership.role, role
    membership.save(update_fields=["role"])
    record_audit(
        tenant_id=tenant_id,
        actor=actor,
        action="member.changed",
        target=membership.user.email,
        at=at,
        detail={"role": role.value, "before": before},
    )
    return membership
