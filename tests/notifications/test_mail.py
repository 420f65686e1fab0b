"""What e-mails look like: a button, a way to choose, nothing that is loaded from elsewhere."""

import re
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from billing.notifications.kinds import ABOUT, READERS, Category, Kind
from billing.notifications.mail import NoticeMail
from billing.notifications.models import Notice
from billing.notifications.services.send_notices import send_notices
from billing.notifications.services.tell_tenant import tell_tenant
from tests.console.make import make_member
from tests.make import AT, make_tenant

ORIGIN = "https://billing.example.com"


def sent_mail(settings: Any, *, body: str = "Look at https://pay.example.com/1 now.", **more: str) -> tuple[str, str]:
    """A notice of a payment as text and as HTML."""
    settings.QUAESTOR_ORIGIN = ORIGIN
    tenant = make_tenant("acme")
    make_member(tenant)
    subject, kind = "Acme: the payment <failed>", Kind.PAYMENT_FAILED
    tell_tenant(tenant_id=tenant.id, kind=kind, key="k", subject=subject, body=body, at=AT, **more)
    assert send_notices(at=AT) == 1
    (message,) = mail.outbox
    assert isinstance(message, mail.EmailMultiAlternatives)
    return str(message.body), str(message.alternatives[0][0])


def test_every_kind_says_what_it_is_about() -> None:
    """N1: none is forgotten; each category has readers, and each button a page."""
    assert set(ABOUT) == set(Kind)
    assert set(READERS) == set(Category)
    assert {about.category for about in ABOUT.values()} == {*Category, None}
    assert all(reverse(about.page) for about in ABOUT.values())


@pytest.mark.django_db
def test_unknown_kind_is_refused() -> None:
    """N1: so that nobody's choice misses one."""
    tenant = make_tenant()
    with pytest.raises(ValueError, match="news"):
        tell_tenant(tenant_id=tenant.id, kind="news", key="k", subject="s", body="b", at=AT)


@pytest.mark.django_db
def test_button_and_heading(settings: Any) -> None:
    """N1: the kind's own page; the tenant's name above the heading, once; text stays text."""
    text, html = sent_mail(settings)
    assert f"\n\nOpen Payment: {ORIGIN}/billing/\n" in text
    assert f"\nChoose your e-mails: {ORIGIN}/notifications/\n" in text
    assert f'href="{ORIGIN}/billing/"' in html
    assert ">The payment &lt;failed&gt;</h1>" in html
    assert '<a href="https://pay.example.com/1"' in html


@pytest.mark.django_db
def test_subject_begins_with_a_capital(settings: Any) -> None:
    """N1: after the tenant's name, as the heading does."""
    sent_mail(settings)
    assert mail.outbox[0].subject == "Acme: The payment <failed>"


@pytest.mark.parametrize(
    "subject",
    [
        "Acme: Invoice INV-1, 5.00 USD",
        "Nordwind Größe: 50 % of the period’s executions used, and more of them than in any period before",
        f"{'Ä' * 80}: The payment",
        f"{'日本' * 90}: 支払い",
        f"{'A' * 90}: Invoice",
        f"{'Acme ' * 25}: Invoice",
        f"{'Acme ' * 8}: The plan’s end",
    ],
)
def test_subject_is_read_as_it_was_written(subject: str) -> None:
    """N1: long, or with letters beyond ASCII: it begins on the header's first line, and no line is too long."""
    raw = NoticeMail(subject, "Text.", "a@example.com", ["b@example.com"]).message().as_bytes()
    assert message_from_bytes(raw, policy=policy.default)["Subject"] == subject
    assert b"Subject: \n" not in raw
    assert max(len(line) for line in raw.splitlines()) <= 78


@pytest.mark.django_db
def test_notice_with_a_link_of_its_own(settings: Any) -> None:
    """I1, N1: an invoice's mail leads to that invoice."""
    text, html = sent_mail(settings, link="/invoices/1", link_text="See the invoice")
    assert f"See the invoice: {ORIGIN}/invoices/1" in text
    assert re.search(rf'href="{ORIGIN}/invoices/1"[^>]*>See the invoice</a>', html)


@pytest.mark.django_db
def test_mail_loads_nothing(settings: Any) -> None:
    """K2, N1: no picture, script, font or style sheet that tells when it was read."""
    _, html = sent_mail(settings)
    assert not re.search(r"<(img|script|link|iframe)|url\(|@import", html)


@pytest.mark.django_db
def test_notice_to_one_address(settings: Any) -> None:
    """N1: goes there whoever the members are, and offers no choice that is not the reader's."""
    tenant = make_tenant()
    Notice.objects.create(
        tenant=tenant, kind=Kind.INVOICE_READY, key="k", to="books@example.com", created_at=AT, due_at=AT, body="b"
    )
    assert send_notices(at=AT) == 1
    assert mail.outbox[0].to == ["books@example.com"]
    assert "Choose your e-mails" not in mail.outbox[0].body
