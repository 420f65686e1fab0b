from datetime import datetime
from uuid import UUID

from django.db import transaction

from tenants.errors import UsedInvitation
from tenants.models import Invitation
from tenants.services.guard_owners import lock_members, require_owner_for
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def revoke_invitation(*, tenant_id: UUID, invitation_id: UUID, actor: Actor, at: datetime) -> Invitation:
    """Withdraw an invitation: its link is void from now on; a second time changes nothing (F4).

    Raises Invitation.DoesNotExist for a foreign one, UsedInvitation, OwnersOnly.
    """
    lock_members(tenant_id)
    invitation = Invitation.objects.select_for_update().get(tenant_id=tenant_id, id=invitation_id)
    require_owner_for(invitation.role, tenant_id=tenant_id, actor=actor)
    if invitation.accepted_at is not None:
        raise UsedInvitation
    if invitation.revoked_at is None:
        invitation.revoked_at = at
        invitation.save(update_fields=["revoked_at"])
        record_audit(
            tenant_id=tenant_id, actor=actor, action="member.invitation_revoked", target=invitation.email, at=at
        )
    return invitation
