"""The demo's mailbox: takes real mail, shows it, lets it do nothing."""

import json
import smtplib
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import environ
import pytest
from django.conf import settings as project
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from billing.notifications.kinds import Kind
from billing.notifications.services.send_notices import send_notices
from billing.notifications.services.tell_tenant import tell_tenant
from sandbox.mail.mailbox import Mailbox
from sandbox.mail.store import MOST_KEPT, Store
from tests.console.make import make_member
from tests.make import make_tenant

HOSTILE = (
    '<html><head><title>x</title></head><body><script>alert(1)</script><img src="http://evil.example/x"></body></html>'
)


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with Mailbox(tmp_path / "mail") as box:
        yield box


def get(mailbox: Mailbox, path: str) -> tuple[str, Any]:
    """The body, and the headers."""
    with urllib.request.urlopen(f"{mailbox.url}{path}", timeout=10) as answer:
        return answer.read().decode(), answer.headers


def post(mailbox: Mailbox, message: EmailMessage) -> None:
    host, _, port = mailbox.email_url.removeprefix("smtp://").partition(":")
    with smtplib.SMTP(host, int(port), timeout=10) as client:
        client.send_message(message)


def letter(subject: str = "Hello", text: str = "One\n.two\n..three\n", html: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", subject
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


@pytest.mark.django_db
def test_notice_goes_through_a_real_mail_server(mailbox: Mailbox, settings: Settings) -> None:
    """N1: by EMAIL_URL, to all who are to get it, as text and HTML."""
    for name, value in environ.Env.email_url_config(mailbox.email_url).items():
        setattr(settings, name, value)
    assert project.EMAIL_BACKEND.endswith("smtp.EmailBackend")
    tenant = make_tenant("acme")
    owners = sorted(make_member(tenant).email for _ in range(2))
    tell_tenant(tenant_id=tenant.id, kind=Kind.LOW_BALANCE, key="k", subject="Acme: 5 € left", body="Ünique.", at=now())
    assert send_notices(at=now()) == 1
    (mail,) = json.loads(get(mailbox, "/_sandbox/mails")[0])["mails"]
    assert (mail["to"], mail["subject"]) == (owners, "Acme: 5 € left")
    assert "Ünique." in mail["text"]
    assert "Add credits</a>" in mail["html"]
    assert "Acme: 5 € left" in get(mailbox, "/")[0]


def test_lines_that_begin_with_a_dot(mailbox: Mailbox) -> None:
    post(mailbox, letter())
    assert mailbox.store.all()[0].text == "One\n.two\n..three\n"


def test_newest_is_first_and_the_run_s_end_forgets_nothing(mailbox: Mailbox, tmp_path: Path) -> None:
    for subject in ("Alpha", "Omega"):
        post(mailbox, letter(subject))
    page, _ = get(mailbox, "/")
    assert page.index("Omega") < page.index("Alpha")
    with Mailbox(tmp_path / "mail") as again:
        assert [mail.subject for mail in again.store.all()] == ["Omega", "Alpha"]


def test_mail_that_means_harm(mailbox: Mailbox) -> None:
    """Its HTML may neither run nor load anything; the pages around it escape what it says."""
    post(mailbox, letter("<script>alert(1)</script>", html=HOSTILE))
    for path in ("/", "/mails/1", "/mails/1/text", "/mails/1/source"):
        page, headers = get(mailbox, path)
        assert "<script" not in page
        assert "default-src 'none'" in headers["Content-Security-Policy"]
    body, headers = get(mailbox, "/mails/1/html")
    assert body.startswith('<html><head><base target="_blank">')
    policy = headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "img-src data:"} <= set(policy)
    assert policy[-1] == "sandbox allow-popups allow-popups-to-escape-sandbox"


def test_attachment_is_handed_over_as_a_file(mailbox: Mailbox) -> None:
    message = letter()
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="Rechnung 1é.pdf")
    post(mailbox, message)
    assert "Rechnung 1é.pdf" in get(mailbox, "/mails/1")[0]
    body, headers = get(mailbox, "/mails/1/attachments/0")
    assert body == "%PDF-1.7"
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''Rechnung%201%C3%A9.pdf"


@pytest.mark.parametrize("path", ["/mails/9", "/mails/1/attachments/0", "/mails/x", "/mails/../x", "/no"])
def test_what_is_not_there(mailbox: Mailbox, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        get(mailbox, path)
    assert refusal.value.code == 404
    refusal.value.close()


def test_oldest_go(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in range(MOST_KEPT):
        (tmp_path / f"{number + 1:08}.eml").touch()
    assert store.add(b"Subject: x\r\n\r\ny", sender="a@example.com", recipients=["b@example.com"]) == MOST_KEPT + 1
    assert (len(store.numbers()), store.find(1)) == (MOST_KEPT, None)


def test_what_is_no_mail_is_refused(mailbox: Mailbox) -> None:
    """RFC 5321: by the code for its reason; the connection stays good."""
    host, _, port = mailbox.email_url.removeprefix("smtp://").partition(":")
    with smtplib.SMTP(host, int(port), timeout=10) as client:
        codes = [
            client.docmd(*command)[0] for command in (("DATA",), ("MAIL", "FROM:nobody"), ("VRFY", "x"), ("NOOP",))
        ]
        client.send_message(letter())
    assert codes == [503, 501, 502, 250]
    assert len(mailbox.store.numbers()) == 1
