"""Secrets are put through everything the product does with keys, and then looked for in everything it leaves behind."""

import logging
from collections.abc import Iterator

import pytest
import time_machine
from django.core.mail import EmailMessage
from django.utils.log import AdminEmailHandler
from pytest_django import Settings

from sandbox.providers.process import ProvidersSandbox
from sandbox.valkey import Valkey
from tests.canary import faults, tour
from tests.canary.scene import Scene, make_scene
from tests.canary.traces import keep_dumps, keep_mails, keep_sessions, keep_valkey, logs_into
from tests.make import AT

# What the search looks through; a place that is missing would be a hole in the proof.
PLACES = (
    "API: 200", "API: 400", "API: 422", "API: 500", "API: 503", "Celery's queues", "admin: 200", "admin: 500",
    "cache", "console: 200", "console: 422", "console: 500", "dumpdata", "e-mail", "e-mail as HTML",
    "log as JSON", "log as text", "pg_dump", "sessions",
)  # fmt: skip


@pytest.fixture
def scene(
    own_vault: None,
    providers: ProvidersSandbox,
    valkey: Valkey,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    """With a broker and a cache to look into, and staff who get the fullest e-mail of every fault."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": valkey.cache_url}
    }
    settings.ADMINS = [("Staff", "staff@example.com")]
    settings.PROVIDER_TIMEOUT_SECONDS = 1
    handler, log = AdminEmailHandler(include_html=True), logging.getLogger("django.request")
    log.addHandler(handler)
    with time_machine.travel(AT):
        yield make_scene(providers, monkeypatch, settings)
    log.removeHandler(handler)


def test_canary_secrets_are_nowhere_but_in_the_answer_to_the_runtime(
    scene: Scene, valkey: Valkey, mailoutbox: list[EmailMessage]
) -> None:
    """K2: no log, error report, page, answer, e-mail, session, cache, message or dump has one, in any spelling."""
    with logs_into(scene.traces):
        key = tour.keep_own_key(scene)
        tour.keep_platform_key(scene)
        faults.fail_everywhere(scene, faults.open_run(scene))
        tour.fail_to_add(scene)
        tour.misplace(scene)
        tour.run_on_keys(scene)
        tour.sign_in(scene)
        tour.look_at_everything(scene)
        tour.work_behind(scene, valkey)
        keep_dumps(scene.traces)
        tour.revoke(scene, key)
        keep_dumps(scene.traces)
    keep_mails(scene.traces, mailoutbox)
    keep_sessions(scene.traces)
    keep_valkey(scene.traces, valkey)
    assert set(PLACES) <= set(scene.traces.places())
    assert scene.traces.leaks(scene.canaries) == []
    assert len(scene.handed) == 5
