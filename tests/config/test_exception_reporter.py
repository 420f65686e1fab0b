"""Neither Django's page for developers nor its e-mail to staff shows a key, wherever the failing code had it."""

import logging
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.http import HttpResponse
from django.test import Client
from django.utils.log import AdminEmailHandler
from pytest_django import Settings

from tests.config.failing import BOXES
from vault.crypto.secret import Secret

CANARY = "Canary+b7Qz9Xw2/Lk4Rt" * 2  # looks like no provider's key
SPELLINGS = (CANARY, quote(CANARY), quote(CANARY, safe=""), CANARY[:30], CANARY[-30:])
Failing = Callable[[Client], HttpResponse]


def _secret(client: Client) -> HttpResponse:
    BOXES.append(Secret(CANARY))
    return client.get("/secret")


FAILING: dict[str, Failing] = {
    "form": lambda client: client.post("/form", {"api_key": CANARY, "name": "main"}),
    "body": lambda client: client.post("/body", {"api_key": CANARY}, content_type="application/json"),
    "stream": lambda client: client.post("/stream", {"api_key": CANARY}, content_type="application/json"),
    "query": lambda client: client.get(f"/query?key={quote(CANARY)}&page=2"),
    "header": lambda client: client.get("/header", headers={"Authorization": f"Bearer {CANARY}"}),
    "secret": _secret,
}
each = pytest.mark.parametrize("failing", FAILING.values(), ids=FAILING)


@pytest.fixture
def client(settings: Settings) -> Client:
    settings.ROOT_URLCONF = "tests.config.failing"
    settings.MIDDLEWARE = []
    settings.ADMINS = [("Staff", "staff@example.com")]
    return Client(raise_request_exception=False)


@pytest.fixture(autouse=True)
def html_mail(client: Client) -> Iterator[None]:
    """The fullest form of the e-mail that a deployment can choose."""
    handler = AdminEmailHandler(include_html=True)
    logger = logging.getLogger("django.request")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    BOXES.clear()


def assert_clean(text: str) -> None:
    assert "[redacted]" in text
    assert [spelling for spelling in SPELLINGS if spelling in text] == []


@each
@pytest.mark.parametrize("accept", ["text/html", "text/plain"])
def test_page_for_developers_shows_no_key(failing: Failing, accept: str, client: Client, settings: Settings) -> None:
    """K2: with DEBUG on, where Django by itself hides nothing that it has no name for."""
    settings.DEBUG = True
    client.defaults["HTTP_ACCEPT"] = accept
    response = failing(client)
    assert response.status_code == 500
    text = response.content.decode()
    assert "told" in text
    assert "The provider said" in text
    assert_clean(text)


@each
def test_mail_to_staff_shows_no_key(failing: Failing, client: Client, mailoutbox: list[EmailMessage]) -> None:
    """K2: with DEBUG off."""
    failing(client)
    fullest, usual = mailoutbox
    assert isinstance(fullest, EmailMultiAlternatives)
    assert_clean(str(fullest.alternatives[0][0]))
    for message in (fullest, usual):
        assert "The provider said" in message.body
        assert_clean(message.body)
        assert CANARY not in message.subject


def test_key_in_query_string_in_a_traceback(client: Client, settings: Settings, mailoutbox: list[EmailMessage]) -> None:
    """K2: neither in the address, the request, the message nor the parameters, and other parameters are left."""
    FAILING["query"](client)
    assert "page=2" in mailoutbox[-1].body
    assert_clean(mailoutbox[-1].body)
    settings.DEBUG = True
    page = FAILING["query"](client).content.decode()
    assert "page=2" in page
    assert_clean(page)


def test_report_is_still_of_use(client: Client, settings: Settings) -> None:
    """K2: names, other values and the place of the error stay."""
    settings.DEBUG = True
    text = FAILING["form"](client).content.decode()
    assert "ValueError" in text
    assert "failing.py" in text
    assert "<td>name</td>" in text
    assert "main" in text


def test_broken_form_is_reported(client: Client, settings: Settings) -> None:
    """K2: what cannot be read cannot keep the report from being made."""
    settings.DEBUG = True
    response = client.post("/stream", b"x" * 30, content_type="multipart/form-data; boundary=")
    assert response.status_code in {400, 500}


def test_passwords_of_settings_are_not_shown(client: Client, settings: Settings) -> None:
    """K2: addresses of brokers have passwords in them, under a name that says nothing."""
    settings.DEBUG = True
    settings.BROKER_URL = "redis://worker:p4ssword-of-it@cache:6379/0"
    text = FAILING["form"](client).content.decode()
    assert "cache:6379" in text
    assert "p4ssword-of-it" not in text
