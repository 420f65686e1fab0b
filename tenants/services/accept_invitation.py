from datetime import datetime

from django.db import transaction

from tenants.errors import SwitchedOff, WrongAddress
from tenants.invitation_tokens import digest_of
from tenants.models import Invitation, Membership, User
from tenants.queries import require_usable
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def accept_invitation(*, token: str, user: User, at: datetime) -> Membership:
    """Make a person a member by the link that was sent to their address (F4).

    Somebody who became a member meanwhile keeps that role. Raises UnknownInvitation, ExpiredInvitation,
    RevokedInvitation, UsedInvitation, WrongAddress, SwitchedOff.
    """
    found = Invitation.objects.select_for_update(of=("self",)).select_related("tenant")
    invitation = require_usable(found.filter(digest=digest_of(token)).first(), at)
    if user.email.casefold() != invitation.email.casefold():
        raise WrongAddress
    if not user.is_active:
        raise SwitchedOff
    membership, _ = Membership.objects.get_or_create(
        tenant=invitation.tenant, user=user, defaults={"role": invitation.role, "created_at": at}
    )
    invitation.accepted_at = at
    invitation.save(update_fields=["accepted_at"])
    record_audit(
        tenant_id=invitation.tenant_id,
        actor=Actor(user_id=user.pk),
        action="member.joined",
        target=user.email,
        at=at,
        detail={"role": membership.role, "invited_by": invitation.invited_by_id},
    )
    return membership
