"""No line of a log has a key, whoever writes it."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import cast

import pytest
import structlog
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import Resolver404, resolve
from django.utils.log import log_response

from config.middleware import RequestLog
from tests.vault.make import key_text
from vault.crypto.redaction import REDACTED
from vault.crypto.secret import Secret

CANARY = 'Canary+b7Qz9Xw2/Lk4"Rt'  # looks like no provider's key
KNOWN = "sk-proj-0123456789abcdefghijklmn"


class Lines(io.StringIO):
    def parsed(self) -> list[dict[str, str]]:
        return [cast("dict[str, str]", json.loads(line)) for line in self.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What the product's own handler writes."""
    kept = Lines()
    handler = next(
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    )
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(kept)
    yield kept
    handler.setStream(before)


def fail_with(text: str) -> None:
    raise RuntimeError(f"refused {text}")


def test_structured_line_has_no_key(lines: Lines) -> None:
    """K2: in the event, in fields, in lists and under bytes."""
    secret = Secret(CANARY)
    structlog.get_logger("tests").warning(
        f"said {CANARY}", reply=CANARY, more=[{"deep": KNOWN}], raw=CANARY.encode(), box=secret
    )
    (line,) = lines.parsed()
    assert line["event"] == f"said {REDACTED}"
    assert line["reply"] == REDACTED
    assert line["more"] == [{"deep": REDACTED}]
    assert "secret" in line["box"]
    assert "b7Qz9Xw2" not in lines.getvalue()


def test_line_of_a_library_has_no_key(lines: Lines) -> None:
    """K2: arguments are part of the message."""
    secret = Secret(CANARY)
    logging.getLogger("some.library").error("GET %s with %s", f"https://x/?key={CANARY}&page=2", KNOWN)
    assert lines.parsed()[0]["event"] == f"GET https://x/?key={REDACTED}&page=2 with {REDACTED}"
    del secret


@pytest.mark.parametrize("structured", [False, True])
def test_logged_exception_has_no_key(lines: Lines, structured: bool) -> None:
    """K2: the text of an exception is not ours to choose; its place is still told."""
    secret = Secret(CANARY)
    log = structlog.get_logger("tests") if structured else logging.getLogger("some.library")
    try:
        fail_with(secret.reveal())
    except RuntimeError:
        log.exception("failed")
    (line,) = lines.parsed()
    assert line["event"] == "failed"
    assert f"RuntimeError: refused {REDACTED}" in line["exception"]
    assert "in fail_with" in line["exception"]


@pytest.mark.parametrize("provider", ["deepgram", "assemblyai", "postmark", "twilio"])
def test_key_in_a_path_is_not_logged(lines: Lines, rf: RequestFactory, provider: str) -> None:
    """K2: where a route takes it for an id, and where nothing answers; in our lines and in Django's."""
    for path in (f"/v1/vault/credentials/{key_text(provider)}", f"/nowhere/{key_text(provider)}/more"):
        request = rf.get(path)
        with suppress(Resolver404):
            request.resolver_match = resolve(path)
        log_response("%s: %s", "Forbidden", path, response=HttpResponse(status=503), request=request)
        structlog.get_logger("tests").warning("request_finished", request=RequestLog.format_request(request))
    texts = [(line["event"], line.get("request")) for line in lines.parsed()]
    assert texts == [
        ("Forbidden: /v1/vault/credentials/<str:credential_id>", None),
        ("request_finished", "GET /v1/vault/credentials/<str:credential_id>"),
        (f"Forbidden: /nowhere/{REDACTED}/more", None),
        ("request_finished", f"GET /nowhere/{REDACTED}/more"),
    ]


def test_other_handler_prints_no_key() -> None:
    """K2: a handler that a deployment adds, with Python's own formatter."""
    secret = Secret(CANARY)
    kept = io.StringIO()
    log, handler = logging.getLogger("tests.other"), logging.StreamHandler(kept)
    log.addHandler(handler)
    try:
        fail_with(CANARY)
    except RuntimeError:
        log.exception("with %s", secret.reveal())
    finally:
        log.removeHandler(handler)
    assert f"with {REDACTED}\nTraceback" in kept.getvalue()
    assert f"RuntimeError: refused {REDACTED}" in kept.getvalue()
    assert "b7Qz9Xw2" not in kept.getvalue()
