"""What a notice looks like as an e-mail: the same words as text and as HTML, with one button."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from billing.notifications.invitation_mail import path_of_invitation
from billing.notifications.kinds import ABOUT, Kind
from billing.notifications.models import Notice

_PREHEADER = 140  # characters that programs show beside the subject


@dataclass(frozen=True, slots=True)
class Letter:
    """`url` is what the button opens; `reason` says why one gets it, `choose_url` where to change that, if one can.

    `are_words_ours`: an address within the text may become a link. It may not where somebody else named the parties.
    """

    tenant: str
    subject: str
    heading: str
    preheader: str
    paragraphs: list[str]
    url: str
    link_text: str
    reason: str
    choose_url: str
    origin: str
    are_words_ours: bool


def write_mail(notice: Notice, to: list[str], *, at: datetime) -> EmailMultiAlternatives:
    """The mail of a notice, read with its tenant; raises NotSent for an invitation whose link is void."""
    letter = _letter(notice, at)
    mail = EmailMultiAlternatives(
        subject=notice.subject,
        body=render_to_string("notifications/notice.txt", {"letter": letter}),
        to=to,
        headers={
            "Message-ID": f"<{notice.id.hex}@quaestor>",  # a repeated one is recognized by mail programs
            "Auto-Submitted": "auto-generated",  # and not answered by those that are on holiday
        },
    )
    mail.attach_alternative(render_to_string("notifications/notice.html", {"letter": letter}), "text/html")
    return mail


def _letter(notice: Notice, at: datetime) -> Letter:
    about, origin = ABOUT[Kind(notice.kind)], settings.QUAESTOR_ORIGIN
    is_invitation = notice.kind == Kind.INVITATION
    path = path_of_invitation(notice, at) if is_invitation else notice.link or reverse(about.page)
    paragraphs = notice.body.split("\n\n")
    return Letter(
        tenant=notice.tenant.name,
        subject=notice.subject,
        heading=_heading(notice),
        preheader=paragraphs[0][:_PREHEADER],
        paragraphs=paragraphs,
        url=f"{origin}{path}",
        link_text=notice.link_text or about.link_text,
        reason=_reason(notice),
        choose_url="" if notice.to else f"{origin}{reverse('console:notifications')}",
        origin=origin,
        are_words_ours=not is_invitation,
    )


def _heading(notice: Notice) -> str:
    """The subject without the tenant's name, which stands above it."""
    rest = notice.subject.removeprefix(f"{notice.tenant.name}: ")
    return rest[:1].upper() + rest[1:]


def _reason(notice: Notice) -> str:
    if notice.kind == Kind.INVITATION:
        return "You get this e-mail because a member entered your address. If you do not know why, ignore it."
    if notice.to:
        return f"You get this e-mail because your address is noted for the billing of {notice.tenant.name}."
    return f"You get this e-mail as a member of {notice.tenant.name}."
