from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.template.loader import render_to_string

from billing.notifications.models import Notice
from tenants.models import Membership
from tenants.permissions import ROLE_PERMISSIONS, Permission

_log = structlog.get_logger(__name__)
MOST_TRIES = 14  # with the waits below: for about two days
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=6)
KEY_HEALTH = "key-health"
"""Notices of this kind go to who manages provider keys; all others to who manages billing (K9)."""


def send_notices(*, at: datetime, limit: int = 50) -> int:
    """Send the notices that are due; answers how many were (S8).

    A notice is claimed before it is sent: a second worker passes it over, and one that was lost with its worker is due
    again later. So a notice arrives at least once, and twice only where a worker dies between sending and noting it.
    """
    due = Notice.objects.filter(sent_at__isnull=True, due_at__lte=at, tries__lt=MOST_TRIES).order_by("due_at")
    return sum(_send(notice_id, at) for notice_id in list(due.values_list("id", flat=True)[:limit]))


def wait_after(tries: int) -> timedelta:
    """How long to wait after this many tries: doubling, six hours at most."""
    return min(_FIRST_WAIT * (1 << tries), _LONGEST_WAIT)


def _send(notice_id: UUID, at: datetime) -> bool:
    notice = Notice.objects.select_related("tenant").get(id=notice_id)
    ours = Notice.objects.filter(id=notice_id, sent_at__isnull=True, due_at__lte=at, tries=notice.tries)
    if not ours.update(tries=F("tries") + 1, due_at=at + wait_after(notice.tries)):
        return False
    error = _deliver(notice)
    Notice.objects.filter(id=notice_id).update(error=error, sent_at=None if error else at)
    return not error


def _deliver(notice: Notice) -> str:
    """Hand the mail over; answers what went wrong, in words that name no address."""
    manages_keys = notice.kind == KEY_HEALTH
    to = addresses(notice.tenant_id, Permission.TENANT_MANAGE if manages_keys else Permission.BILLING_MANAGE)
    if not to:
        return f"Nobody of the tenant manages its {'keys' if manages_keys else 'billing'}."
    facts = {"notice": notice, "paragraphs": notice.body.split("\n\n"), "origin": settings.QUAESTOR_ORIGIN}
    mail = EmailMultiAlternatives(
        subject=notice.subject,
        body=f"{notice.body}\n\n{settings.QUAESTOR_ORIGIN}\n",
        to=to,
        headers={"Message-ID": f"<{notice.id.hex}@quaestor>"},  # a repeated one is recognized by mail programs
    )
    mail.attach_alternative(render_to_string("notifications/notice.html", facts), "text/html")
    try:
        mail.send()
    except OSError as error:  # smtplib's errors are OSErrors too
        _log.warning("notice_not_sent", notice=str(notice.id), kind=notice.kind, error=type(error).__name__)
        return f"The mail server did not take it ({type(error).__name__})."
    return ""


def addresses(tenant_id: UUID, permission: Permission = Permission.BILLING_MANAGE) -> list[str]:
    """Who of the tenant has the permission, in a fixed order."""
    roles = [role.value for role, permissions in ROLE_PERMISSIONS.items() if permission in permissions]
    members = Membership.objects.filter(tenant_id=tenant_id, role__in=roles, user__is_active=True)
    return list(members.order_by("user__email").values_list("user__email", flat=True))
