from uuid import UUID

from tenants.errors import LastOwner, OwnersOnly
from tenants.models import Membership, Tenant
from tenants.permissions import Role
from tenants.services.record_audit import Actor


def lock_members(tenant_id: UUID) -> None:
    """Lock the tenant's row, under which its members and invitations change."""
    Tenant.objects.select_for_update(no_key=True).get(id=tenant_id)


def require_owner_for(*roles: str, tenant_id: UUID, actor: Actor) -> None:
    """Let owners alone deal with owners: raises OwnersOnly for a member who is none. The caller has locked the members.

    The system, and staff who belong elsewhere, pass.
    """
    if Role.OWNER not in roles or actor.user_id is None:
        return
    own = Membership.objects.filter(tenant_id=tenant_id, user_id=actor.user_id).values_list("role", flat=True).first()
    if own is not None and own != Role.OWNER:
        raise OwnersOnly


def require_another_owner(membership: Membership) -> None:
    """Raise LastOwner where this member is the only owner who can sign in. The caller has the tenant's row."""
    if membership.role != Role.OWNER:
        return
    owners = Membership.objects.filter(tenant_id=membership.tenant_id, role=Role.OWNER, user__is_active=True)
    if not owners.exclude(id=membership.pk).exists():
        raise LastOwner
