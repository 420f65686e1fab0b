"""The link in the e-mail of an invitation: made when it is sent, and nowhere in the database (F4)."""

from collections.abc import Sequence
from datetime import datetime
from hmac import compare_digest
from uuid import UUID

from django.urls import reverse

from billing.notifications.errors import NotSent
from billing.notifications.kinds import Kind
from billing.notifications.models import Notice
from tenants.invitation_tokens import digest_of, make_token
from tenants.models import Invitation


def key_of_invitation(invitation: Invitation) -> str:
    """The key of the notice of its last sending."""
    return f"{Kind.INVITATION}:{invitation.id.hex}:{invitation.sendings}"


def failures_of(invitations: Sequence[Invitation]) -> dict[UUID, Notice]:
    """The last e-mails of invitations that could not be sent, by the invitation's id; a query if there are any."""
    keys = {key_of_invitation(one): one.id for one in invitations}
    if not keys:
        return {}
    failed = Notice.objects.filter(key__in=keys, sent_at=None).exclude(error="")
    return {keys[notice.key]: notice for notice in failed}


def path_of_invitation(notice: Notice, at: datetime) -> str:
    """The path that the mail's link leads to; raises NotSent where it would lead nowhere."""
    _, id_, sending = notice.key.split(":")
    invitation = Invitation.objects.get(id=UUID(id_))
    if not invitation.is_open(at) or invitation.sendings != int(sending):
        raise NotSent("The invitation is not open any more.", is_final=True)
    token = make_token(invitation.id, invitation.sendings)
    if not compare_digest(digest_of(token), bytes(invitation.digest)):
        raise NotSent("SECRET_KEY has changed since: send the invitation again.", is_final=True)
    return reverse("console:invitation", args=[token])
