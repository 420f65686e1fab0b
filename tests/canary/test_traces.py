"""A key that does get out is found wherever it went."""

import logging

import pytest
from django.contrib.messages import ERROR
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.http import HttpResponse
from pytest_django import Settings

from config.celery import app
from sandbox.valkey import Valkey
from tenants.services.record_audit import SYSTEM, record_audit
from tests.canary.search import Canary, bare_canary, special_canary
from tests.canary.traces import Traces, keep_dumps, keep_mails, keep_sessions, keep_valkey, logs_into
from tests.make import AT, make_tenant

CANARIES = [bare_canary("bare"), special_canary("special")]
each = pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)


def places(traces: Traces, canary: Canary) -> set[str]:
    return {leak.rpartition(f": {canary.name}")[0] for leak in traces.leaks(CANARIES)}


@each
def test_raw_key_in_audit_log(own_database: None, canary: Canary) -> None:
    """K2: `raw_key_in_audit_log` is in both dumps."""
    detail = {"name": "Main", "sent": [canary.text]}
    record_audit(tenant_id=make_tenant().id, actor=SYSTEM, action="credential.added", target="x", at=AT, detail=detail)
    traces = Traces()
    keep_dumps(traces)
    assert places(traces, canary) == {"dumpdata", "pg_dump"}


@each
def test_key_in_a_session(db: None, canary: Canary) -> None:
    """K2: as a message for the next page would be; Django packs it before it is stored."""
    session = SessionStore()
    session["_messages"] = [[ERROR, f"{canary.text} was refused. " * 20]]
    session.save()
    traces = Traces()
    keep_sessions(traces)
    assert places(traces, canary) == {"sessions"}


@each
def test_key_in_queue_and_cache(valkey: Valkey, settings: Settings, canary: Canary) -> None:
    """K2: as an argument of a task, which Celery encodes, and as a value."""
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": valkey.cache_url}}
    cache.set("draft", {"api_key": canary.text})
    with app.connection_for_write(valkey.broker_url) as broker:
        app.send_task("vault.tasks.check_keys", args=[canary.text], connection=broker)
        traces = Traces()
        keep_valkey(traces, valkey)
        app.control.purge(connection=broker)
    cache.clear()
    assert places(traces, canary) == {"Celery's queues", "cache"}


@each
def test_key_in_answers_mails_and_logs(canary: Canary) -> None:
    """K2: body, header, cookie; both forms of an e-mail; a message and its arguments."""
    traces = Traces()
    for number in range(3):
        response = HttpResponse(canary.text if number == 0 else "")
        response["X-Reason"] = canary.text if number == 1 else "none"
        response.set_cookie("draft", canary.text if number == 2 else "none")
        traces.keep(f"answer {number}", response)
    mail = EmailMultiAlternatives("Fault", "A fault.", to=["staff@example.com"])
    mail.attach_alternative(f"<p>{canary.text}</p>", "text/html")
    keep_mails(traces, [mail, EmailMessage("Fault", canary.text)])
    with logs_into(traces):
        logging.getLogger("billing").debug("refused %s", canary.text)
    answers = {f"answer {number}: 200" for number in range(3)}
    assert places(traces, canary) == answers | {"e-mail", "e-mail as HTML", "log as JSON", "log as text"}
