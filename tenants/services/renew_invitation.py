from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from tenants.errors import RevokedInvitation, SentJustNow, SentTooOften, UsedInvitation
from tenants.invitation_tokens import digest_of, make_token
from tenants.models import Invitation
from tenants.services.guard_owners import lock_members, require_owner_for
from tenants.services.invite_member import VALID_FOR
from tenants.services.record_audit import Actor, record_audit

MOST_SENDINGS = 10
SHORTEST_WAIT = timedelta(minutes=1)  # so that a second press does not void the link of the first


@transaction.atomic
def renew_invitation(*, tenant_id: UUID, invitation_id: UUID, actor: Actor, at: datetime) -> Invitation:
    """Give an invitation, also an expired one, a new link and another week; its former link is void (F4).

    Raises Invitation.DoesNotExist for a foreign one, UsedInvitation, RevokedInvitation, SentTooOften, OwnersOnly,
    and SentJustNow within a minute of its last sending.
    """
    lock_members(tenant_id)
    invitation = Invitation.objects.select_for_update().get(tenant_id=tenant_id, id=invitation_id)
    require_owner_for(invitation.role, tenant_id=tenant_id, actor=actor)
    if invitation.accepted_at is not None:
        raise UsedInvitation
    if invitation.revoked_at is not None:
        raise RevokedInvitation
    if invitation.sendings >= MOST_SENDINGS:
        raise SentTooOften
    if at < invitation.sent_at + SHORTEST_WAIT:
        raise SentJustNow
    invitation.sendings += 1
    invitation.digest = digest_of(make_token(invitation.id, invitation.sendings))
    invitation.sent_at, invitation.expires_at = at, at + VALID_FOR
    invitation.save(update_fields=["sendings", "digest", "sent_at", "expires_at"])
    record_audit(tenant_id=tenant_id, actor=actor, action="member.invited_again", target=invitation.email, at=at)
    return invitation
