from collections.abc import Iterable
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused
from uuid import UUID

import structlog
from django.db.models import F

from billing.notifications.errors import NotSent
from billing.notifications.kinds import ABOUT, READERS, Category, Kind
from billing.notifications.mail import write_mail
from billing.notifications.models import Notice
from billing.notifications.recipients import addresses, recipients_of

_log = structlog.get_logger(__name__)
MOST_TRIES = 14  # with the waits below: for about two days
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=6)


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
    try:
        _deliver(notice, at)
    except NotSent as reason:
        tries = MOST_TRIES if reason.is_final else F("tries")
        Notice.objects.filter(id=notice_id).update(error=str(reason), tries=tries)
        return False
    Notice.objects.filter(id=notice_id).update(error="", sent_at=at)
    return True


def _deliver(notice: Notice, at: datetime) -> None:
    """Hand the mail over; raises NotSent, in words that name no address."""
    mail = write_mail(notice, _receivers(notice), at=at)
    try:
        mail.send()
    except OSError as error:  # smtplib's errors are OSErrors too
        _log.warning("notice_not_sent", notice=str(notice.id), kind=notice.kind, error=type(error).__name__)
        raise _not_sent(error) from error


def _not_sent(error: OSError) -> NotSent:
    """Final where the server refused every address, or the text, for good (5xx, RFC 5321 section 4.2.1)."""
    match error:
        case SMTPRecipientsRefused(recipients=refused) if _are_permanent(code for code, _ in refused.values()):
            codes = ", ".join(sorted({str(code) for code, _ in refused.values()}))
            return NotSent(f"The mail server refused the address (SMTP {codes}).", is_final=True)
        case SMTPDataError(smtp_code=code) if _are_permanent([code]):
            return NotSent(f"The mail server refused the text (SMTP {code}).", is_final=True)
    return NotSent(f"The mail server did not take it ({type(error).__name__}).")


def _are_permanent(codes: Iterable[int]) -> bool:
    return all(500 <= code < 600 for code in codes)


def _receivers(notice: Notice) -> list[str]:
    """The notice's own address, or the members who want it; raises NotSent where nobody does, or nobody could."""
    category = ABOUT[Kind(notice.kind)].category
    if notice.to or category is None:
        return [notice.to]
    wanting = recipients_of(notice.tenant_id, category)
    if wanting:
        return wanting
    if addresses(notice.tenant_id, READERS[category]):
        raise NotSent("Nobody of the tenant wants e-mails of this kind.", is_final=True)
    owned = "keys" if category == Category.KEYS else "billing"
    raise NotSent(f"Nobody of the tenant manages its {owned}.")
