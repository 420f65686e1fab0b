from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from tenants.errors import AlreadyInvited, AlreadyMember, TooManyInvitations
from tenants.invitation_tokens import digest_of, make_token
from tenants.models import Invitation, Membership, User
from tenants.permissions import Role
from tenants.services.guard_owners import lock_members, require_owner_for
from tenants.services.record_audit import Actor, record_audit

VALID_FOR = timedelta(days=7)
MOST_OPEN = 50


@transaction.atomic
def invite_member(*, tenant_id: UUID, email: str, role: Role, actor: Actor, at: datetime) -> Invitation:
    """Offer a role to an address, in any case, for a week; who sends the mail is the caller (F4).

    An invitation to the same address that has expired is withdrawn for it. Raises AlreadyMember, AlreadyInvited,
    TooManyInvitations, and OwnersOnly where somebody who is none invites an owner.
    """
    email = User.objects.normalize_email(email)
    lock_members(tenant_id)
    require_owner_for(role, tenant_id=tenant_id, actor=actor)
    if Membership.objects.filter(tenant_id=tenant_id, user__email__iexact=email).exists():
        raise AlreadyMember
    _make_room(tenant_id, email, at)
    id_ = uuid7()
    invitation = Invitation.objects.create(
        id=id_,
        tenant_id=tenant_id,
        email=email,
        role=role,
        digest=digest_of(make_token(id_, 1)),
        invited_by_id=actor.user_id,
        created_at=at,
        sent_at=at,
        expires_at=at + VALID_FOR,
    )
    record_audit(
        tenant_id=tenant_id, actor=actor, action="member.invited", target=email, at=at, detail={"role": role.value}
    )
    return invitation


def _make_room(tenant_id: UUID, email: str, at: datetime) -> None:
    """Withdraw an expired invitation to the address; the tenant's row is locked, so that nobody adds one meanwhile."""
    waiting = Invitation.objects.filter(tenant_id=tenant_id, accepted_at=None, revoked_at=None)
    if waiting.filter(email__iexact=email, expires_at__gt=at).exists():
        raise AlreadyInvited
    waiting.filter(email__iexact=email).update(revoked_at=at)
    if waiting.count() >= MOST_OPEN:
        raise TooManyInvitations
