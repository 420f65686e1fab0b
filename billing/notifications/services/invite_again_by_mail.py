from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.notifications.services.tell_of_invitation import tell_of_invitation
from tenants.models import Invitation
from tenants.services.record_audit import Actor
from tenants.services.renew_invitation import renew_invitation


@transaction.atomic
def invite_again_by_mail(*, tenant_id: UUID, invitation_id: UUID, actor: Actor, at: datetime) -> Invitation:
    """Send an invitation again, with a new link and another week (F4); raises as `renew_invitation` does."""
    invitation = renew_invitation(tenant_id=tenant_id, invitation_id=invitation_id, actor=actor, at=at)
    tell_of_invitation(invitation=invitation, at=at)
    return invitation
