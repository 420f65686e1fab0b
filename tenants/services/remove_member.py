from datetime import datetime
from uuid import UUID

from django.db import transaction

from tenants.models import Membership, User
from tenants.services.guard_owners import lock_members, require_another_owner, require_owner_for
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def remove_member(*, tenant_id: UUID, user_id: int, actor: Actor, at: datetime) -> User:
    """End a membership, from the next click on; the person and what they did stay known (F4).

    Raises Membership.DoesNotExist for nobody of the tenant, LastOwner, OwnersOnly.
    """
    lock_members(tenant_id)
    membership = Membership.objects.select_related("user").get(tenant_id=tenant_id, user_id=user_id)
    require_owner_for(membership.role, tenant_id=tenant_id, actor=actor)
    require_another_owner(membership)
    membership.delete()
    record_audit(
        tenant_id=tenant_id,
        actor=actor,
        action="member.removed",
        target=membership.user.email,
        at=at,
        detail={"role": membership.role},
    )
    return membership.user
