from datetime import datetime

from billing.notifications.invitation_mail import key_of_invitation
from billing.notifications.kinds import Kind
from billing.notifications.services.tell_tenants import Message, tell_tenants
from tenants.models import Invitation


def tell_of_invitation(*, invitation: Invitation, at: datetime) -> None:
    """Put the e-mail of an invitation, each of its sendings once, into the outbox (F4)."""
    tenant = _one_line(invitation.tenant.name)
    sender = _one_line(invitation.invited_by.get_full_name()) if invitation.invited_by else "A colleague"
    message = Message(
        tenant_id=invitation.tenant_id,
        kind=Kind.INVITATION,
        key=key_of_invitation(invitation),
        subject=f"{sender} invites you to {tenant}",
        body=(
            f"{sender} invites you to the billing console of {tenant}, with the role {invitation.role}.\n\n"
            f"The link below is for {invitation.email} alone. It can be used once, until "
            f"{invitation.expires_at:%d %B %Y, %H:%M} UTC."
        ),
        to=invitation.email,
        link_text="Accept the invitation",
    )
    tell_tenants([message], at=at)


def _one_line(text: str) -> str:
    return " ".join(text.split())
