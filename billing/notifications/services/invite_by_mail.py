from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.notifications.services.tell_of_invitation import tell_of_invitation
from tenants.models import Invitation
from tenants.permissions import Role
from tenants.services.invite_member import invite_member
from tenants.services.record_audit import Actor


@transaction.atomic
def invite_by_mail(*, tenant_id: UUID, email: str, role: Role, actor: Actor, at: datetime) -> Invitation:
    """Invite somebody and put the e-mail with the link into the outbox (F4); raises as `invite_member` does."""
    invitation = invite_member(tenant_id=tenant_id, email=email, role=role, actor=actor, at=at)
    tell_of_invitation(invitation=invitation, at=at)
    return invitation
