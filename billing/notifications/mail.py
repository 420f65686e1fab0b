"""What a notice looks like as an e-mail: the same words as text and as HTML, with one button."""

from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from billing.notifications.invitation_mail import path_of_invitation
from billing.notifications.kinds import ABOUT, Kind
from billing.notifications.models import Notice

_PREHEADER = 140  # characters that programs show beside the subject
_LONGEST_WORD = 60  # characters that are sure to fit beside “Subject: ”


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


class NoticeMail(EmailMultiAlternatives):
    """A mail whose subject begins on the header's first line, however long it is.

    Django encodes a subject as if nothing stood before it. Its first word is then too long for the line that begins
    with “Subject: ”, and goes to the next one: many programs, and Python's parser, read a blank before the subject.
    """

    def message(self, **options: Any) -> Any:
        """The same with that header's name counted in its first line."""
        message, subject = super().message(**options), str(self.subject)
        if not subject.isascii() or any(len(word) > _LONGEST_WORD for word in subject.split()):
            message.replace_header("Subject", Header(subject, "utf-8", header_name="Subject").encode())
        return message


def write_mail(notice: Notice, to: list[str], *, at: datetime) -> EmailMultiAlternatives:
    """The mail of a notice, read with its tenant; raises NotSent for an invitation whose link is void."""
    letter = _letter(notice, at)
    mail = NoticeMail(
        subject=letter.subject,
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
    tenant, heading = _tenant_and_heading(notice)
    return Letter(
        tenant=notice.tenant.name,
        subject=f"{tenant}{heading}",
        heading=heading,
        preheader=paragraphs[0][:_PREHEADER],
        paragraphs=paragraphs,
        url=f"{origin}{path}",
        link_text=notice.link_text or about.link_text,
        reason=_reason(notice),
        choose_url="" if notice.to else f"{origin}{reverse('console:notifications')}",
        origin=origin,
        are_words_ours=not is_invitation,
    )


def _tenant_and_heading(notice: Notice) -> tuple[str, str]:
    """The subject in two: the tenant's name, if it begins with it, and the rest with a capital."""
    tenant = f"{' '.join(notice.tenant.name.split())}: "
    if not notice.subject.startswith(tenant):
        tenant = ""
    rest = notice.subject.removeprefix(tenant)
    return tenant, rest[:1].upper() + rest[1:]


def _reason(notice: Notice) -> str:
    if notice.kind == Kind.INVITATION:
        return "You get this e-mail because a member entered your address. If you do not know why, ignore it."
    if notice.to:
        return f"You get this e-mail because your address is noted for the billing of {notice.tenant.name}."
    return f"You get this e-mail as a member of {notice.tenant.name}."
