"""The parts of `make run`: choices, processes, readiness and what it tells the world."""

import json
import re
import signal
import socket
import sys
from functools import partial
from pathlib import Path

import pytest

from sandbox.configuration import Backends, RunSettings, cache_beside, django_environment, stripe_test_key
from sandbox.errors import SandboxError
from sandbox.facts import demo_facts, read_seed, welcome, write_facts
from sandbox.files import FolderLock, persistent_secret
from sandbox.process import Child
from sandbox.sockets import require_free_port
from sandbox.supervisor import Supervisor

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
PATIENT = "print('up', flush=True); import time; time.sleep(60)"


def python(name: str, code: str, folder: Path, *, patience: float = 5.0) -> Child:
    log = folder / f"{name}.log"
    return Child(name, [sys.executable, "-c", code], log=log, stop_signals=[(signal.SIGTERM, patience)])


def test_nothing_set_means_port_8000_and_embedded_servers() -> None:
    settings = RunSettings.from_environment({})
    assert settings.url == "http://127.0.0.1:8000"
    assert settings.home.name == "var"
    assert (settings.database_url, settings.valkey_url) == (None, None)
    assert settings.stripe_url == "http://127.0.0.1:8001"
    assert settings.providers_url == "http://127.0.0.1:8002"
    assert settings.mail_url == "http://127.0.0.1:8003"


@pytest.mark.parametrize("choice", [{"PORT": "http"}, {"PORT": "0"}, {"PORT": "65532"}, {"VALKEY_URL": "unix:///x"}])
def test_a_senseless_choice_is_named(choice: dict[str, str]) -> None:
    with pytest.raises(SandboxError, match=next(iter(choice))):
        RunSettings.from_environment(choice)


def test_django_runs_with_production_settings_on_plain_http(tmp_path: Path) -> None:
    settings = RunSettings.from_environment({"PORT": "8100", "QUAESTOR_HOME": str(tmp_path)})
    backends = Backends("postgresql:///x", "redis://h:1/0", cache_beside("redis://h:1/0"))
    environment = django_environment(settings, backends, secret_key="s", stripe_key="sk_test_1")
    expected = {
        "DEBUG": "0",
        "QUAESTOR_ORIGIN": "http://127.0.0.1:8100",
        "CACHE_URL": "redis://h:1/1",
        "STATIC_ROOT": str(tmp_path / "static"),
        "STRIPE_SECRET_KEY": "sk_test_1",
        "STRIPE_API_HOST": "http://127.0.0.1:8101",
        "PROVIDERS_HOST": "http://127.0.0.1:8102",
        "VAULT_KEK_DIR": str(tmp_path / "kek"),
        "EMAIL_URL": "smtp://127.0.0.1:8104",
    }
    assert {key: environment[key] for key in expected} == expected


def test_a_stripe_key_of_one_s_own_means_the_real_stripe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_own")
    monkeypatch.delenv("STRIPE_API_HOST", raising=False)
    settings = RunSettings.from_environment({"STRIPE_SECRET_KEY": "sk_test_own"})
    environment = django_environment(settings, Backends("postgresql:///x", "", ""), secret_key="s")
    assert settings.stripe_url is None
    assert environment["STRIPE_SECRET_KEY"] == "sk_test_own"
    assert "STRIPE_API_HOST" not in environment


def test_a_mail_server_of_one_s_own_means_no_mailbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp://mail.example.com")
    settings = RunSettings.from_environment({"EMAIL_URL": "smtp://mail.example.com"})
    environment = django_environment(settings, Backends("postgresql:///x", "", ""), secret_key="s")
    assert (settings.mail_url, environment["EMAIL_URL"]) == (None, "smtp://mail.example.com")


def test_a_port_in_use_is_said_before_anything_starts() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(SandboxError, match=f"Port {port} is in use"):
            require_free_port(port)
    require_free_port(port)


def test_the_secret_stays_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    secret = persistent_secret(path)
    assert len(secret) >= 50
    assert persistent_secret(path) == secret
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_sandbox_s_key_has_the_form_of_stripe_s(tmp_path: Path) -> None:
    key = persistent_secret(tmp_path / "stripe_key", make=stripe_test_key)
    assert re.fullmatch(r"sk_test_[A-Za-z0-9]{24,}", key)


def test_a_folder_has_one_holder_at_a_time(tmp_path: Path) -> None:
    with FolderLock(tmp_path), pytest.raises(SandboxError, match="already in use"):
        FolderLock(tmp_path).acquire()
    with FolderLock(tmp_path):
        pass


def test_programs_stop_in_reverse_order(tmp_path: Path) -> None:
    stopped: list[str] = []
    with Supervisor() as supervisor:
        for name in ("first", "second"):
            supervisor.on_stop(partial(stopped.append, name))
    assert stopped == ["second", "first"]


def test_a_program_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    child = python("stubborn", STUBBORN, tmp_path, patience=0.2)
    with Supervisor() as supervisor:
        supervisor.start(child)
        log = tmp_path / "stubborn.log"
        supervisor.wait_until(lambda: log.read_text() == "up\n", what="it", patience=10)
        assert child.is_running()
    assert not child.is_running()


def test_a_program_that_ends_by_itself_is_named_with_its_last_words(tmp_path: Path) -> None:
    with Supervisor() as supervisor:
        supervisor.start(python("worker", "raise SystemExit('no broker')", tmp_path))
        with pytest.raises(SandboxError, match=r"(?s)worker ended with code 1.*no broker"):
            supervisor.stay()


def test_a_failed_step_stops_the_run(tmp_path: Path) -> None:
    with Supervisor() as supervisor, pytest.raises(SandboxError, match=r"(?s)migrate ended with code 3"):
        supervisor.run(python("migrate", "raise SystemExit(3)", tmp_path))


def test_waiting_has_an_end(tmp_path: Path) -> None:
    with Supervisor() as supervisor:
        supervisor.start(python("web", PATIENT, tmp_path))
        with pytest.raises(SandboxError, match="web is not ready"):
            supervisor.wait_until(lambda: False, what="web", patience=0)


def test_the_log_of_the_run_before_stays_beside(tmp_path: Path) -> None:
    for word in ("old", "new"):
        child = python("step", f"print('{word}')", tmp_path)
        child.start()
        child.finish()
        child.stop()
    assert (tmp_path / "step.log").read_text() == "new\n"
    assert (tmp_path / "step.log.1").read_text() == "old\n"


def test_demo_json_has_every_key_and_null_for_missing_parts(tmp_path: Path) -> None:
    (tmp_path / "demo-seed.json").write_text(json.dumps({"email": "a@b.example", "password": "p", "more": 1}))
    facts = demo_facts(read_seed(tmp_path), {"url": "http://127.0.0.1:8000", "database_url": "postgresql:///q"})
    path = tmp_path / "demo.json"
    write_facts(path, facts)
    written = json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    assert written["email"] == "a@b.example"
    assert written["chain_url"] is None
    assert len(written) == 19
    assert "a@b.example  p" in welcome(facts, path=path, seconds=3.2)
