"""The outbox of e-mails to who manages a tenant's billing."""

from datetime import timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from billing.notifications.kinds import Kind
from billing.notifications.models import Notice
from billing.notifications.services.send_notices import MOST_TRIES, send_notices
from billing.notifications.services.tell_tenant import tell_tenant
from tenants.models import Tenant
from tenants.permissions import Role
from tenants.services.add_member import add_member
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant

pytestmark = pytest.mark.django_db


def tell(tenant: Tenant, key: str = "fact:1", body: str = "One.\n\nTwo <b>bold</b>.") -> Notice:
    tell_tenant(tenant_id=tenant.id, kind=Kind.LOW_BALANCE, key=key, subject="A\r\nfact", body=body, at=AT)
    return Notice.objects.get(key=key)


def staffed() -> Tenant:
    """A tenant with a member of every role; their addresses begin with it."""
    tenant = make_tenant()
    for role in Role:
        add_member(tenant_id=tenant.id, email=f"{role}@example.com", role=role, at=AT, actor=SYSTEM)
    return tenant


@pytest.fixture
def deaf_server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server that hangs up on everybody."""

    def hang_up(*_ignored: object) -> int:
        raise SMTPServerDisconnected("user@example.com")

    monkeypatch.setattr(EmailBackend, "send_messages", hang_up)


def test_mail_goes_to_who_manages_billing() -> None:
    """S8: owner, admin and billing; as text and as HTML in which text stays text."""
    notice = tell(staffed())
    assert send_notices(at=AT) == 1
    (sent,) = mail.outbox
    assert sent.to == ["admin@example.com", "billing@example.com", "owner@example.com"]
    assert sent.subject == "A fact"
    assert sent.body.startswith("One.\n\nTwo <b>bold</b>.\n\nAdd credits: http")
    ((html, kind),) = sent.alternatives
    assert kind == "text/html"
    assert ">Two &lt;b&gt;bold&lt;/b&gt;.</p>" in html
    notice.refresh_from_db()
    assert (notice.sent_at, notice.tries, notice.error) == (AT, 1, "")


def test_fact_is_told_once() -> None:
    """S8: whatever number of times it comes up, and whoever looks after the outbox again."""
    tenant = staffed()
    assert tell(tenant) == tell(tenant, body="Another.")
    assert [send_notices(at=AT), send_notices(at=AT + timedelta(days=1))] == [1, 0]
    assert len(mail.outbox) == 1


@pytest.mark.usefixtures("deaf_server")
def test_mail_server_that_is_away() -> None:
    """S8: tried again after one minute, two, four; the error kept names nobody."""
    notice = tell(staffed())
    waits = []
    for _ in range(3):
        send_notices(at=notice.due_at)
        before, notice = notice.due_at, Notice.objects.get()
        waits.append(notice.due_at - before)
    assert waits == [timedelta(minutes=minutes) for minutes in (1, 2, 4)]
    assert (notice.error, notice.sent_at) == ("The mail server did not take it (SMTPServerDisconnected).", None)


@pytest.mark.parametrize(
    ("refusal", "error", "is_final"),
    [
        (
            SMTPRecipientsRefused({"a@example.com": (550, b"a@example.com?"), "b@example.com": (553, b"")}),
            "550, 553",
            True,
        ),
        (SMTPRecipientsRefused({"a@example.com": (550, b""), "b@example.com": (450, b"")}), "RecipientsRefused", False),
        (SMTPDataError(554, b"Spam"), "(SMTP 554)", True),
        (SMTPDataError(452, b"Full"), "SMTPDataError", False),
        (SMTPSenderRefused(550, b"", "us@example.com"), "SMTPSenderRefused", False),
    ],
)
def test_refused_for_good(refusal: OSError, error: str, is_final: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """S8: what the server will never take is not tried again; what is full, or wrong with us, is."""

    def refuse(*_ignored: object) -> int:
        raise refusal

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    tell(staffed())
    send_notices(at=AT)
    notice = Notice.objects.get()
    assert (error in notice.error, "@" in notice.error) == (True, False)
    assert notice.tries == (MOST_TRIES if is_final else 1)


@pytest.mark.usefixtures("deaf_server")
def test_trying_ends() -> None:
    """S8: after two days a notice is left in the outbox with its error."""
    tell(staffed())
    at, longest = AT, timedelta(0)
    for _ in range(MOST_TRIES + 3):
        send_notices(at=at)
        due = Notice.objects.get().due_at
        longest, at = max(longest, due - at), due
    assert Notice.objects.get().tries == MOST_TRIES
    assert longest == timedelta(hours=6)
    assert timedelta(days=1) < at - AT < timedelta(days=3)


def test_nobody_to_tell() -> None:
    """S8: a tenant whose members cannot manage billing keeps its notice until somebody can."""
    tenant = make_tenant()
    add_member(tenant_id=tenant.id, email="dev@example.com", role=Role.DEVELOPER, at=AT, actor=SYSTEM)
    tell(tenant)
    assert send_notices(at=AT) == 0
    add_member(tenant_id=tenant.id, email="owner@example.com", role=Role.OWNER, at=AT, actor=SYSTEM)
    assert send_notices(at=AT + timedelta(minutes=1)) == 1
