"""`make run`: database, broker, stand-ins for Stripe and the providers, mailbox, demo, workers and web, from nothing.

All in the foreground. PORT (8000) is the web server's, the next is for Stripe's stand-in, the one after that for the
providers', the next two for the mailbox's pages and its mail server; QUAESTOR_HOME (var/) keeps the state. DATABASE_URL
and VALKEY_URL, where set, replace the embedded servers, STRIPE_SECRET_KEY Stripe's stand-in and EMAIL_URL the mailbox.
When all is ready, demo.json appears in the state folder; it goes when the run ends.
"""

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from types import FrameType

from sandbox import programs
from sandbox.configuration import Backends, RunSettings, cache_beside, django_environment, stripe_test_key
from sandbox.errors import SandboxError
from sandbox.facts import demo_facts, read_seed, welcome, write_facts
from sandbox.files import FolderLock, persistent_secret, write_private
from sandbox.postgres import Postgres
from sandbox.providers.registry import valid_keys
from sandbox.sockets import require_free_port
from sandbox.supervisor import Supervisor
from sandbox.valkey import Valkey

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READY_PATIENCE = 60.0  # seconds for the web server's first answer
LEFTOVER_PATIENCE = 8.0  # seconds for the children of a killed run to let go of the port


class Stopped(BaseException):
    """A signal asked us to end."""


def main() -> int:
    """Run until a signal (exit code 0) or a failure (1, with the reason on standard error)."""
    for number in SIGNALS:
        signal.signal(number, _on_signal)
    try:
        settings = RunSettings.from_environment(os.environ)
        with FolderLock(settings.home), Supervisor() as supervisor:
            run(settings, supervisor)
    except Stopped:
        say("Stopped.")
        return 0
    except SandboxError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def run(settings: RunSettings, supervisor: Supervisor) -> None:
    """Start everything and stay; every program is the supervisor's to stop."""
    started = time.monotonic()
    patience = LEFTOVER_PATIENCE if settings.facts_path.exists() else 0.0
    settings.facts_path.unlink(missing_ok=True)
    require_free_port(settings.port, patience=patience)
    require_free_port(settings.providers_port, patience=patience)
    if settings.stripe_url:
        require_free_port(settings.stripe_port, patience=patience)
    if settings.mail_url:
        require_free_port(settings.mail_port, patience=patience)
        require_free_port(settings.smtp_port, patience=patience)
    backends = start_backends(settings, supervisor)
    start_providers(settings, supervisor)
    start_mailbox(settings, supervisor)
    environment = django_environment(
        settings,
        backends,
        secret_key=persistent_secret(settings.home / "secret_key"),
        stripe_key=start_stripe(settings, supervisor) if settings.stripe_url else "",
    )
    prepare_state(settings, supervisor, environment)
    say("Starting workers and web")
    supervisor.start(programs.worker(settings, environment))
    webhooks = programs.webhook_worker(settings, environment)
    supervisor.start(webhooks)
    supervisor.keep_alive(webhooks)
    supervisor.start(programs.web_server(settings, environment))
    supervisor.wait_until(lambda: programs.answers_ready(settings.port), what="The web server", patience=READY_PATIENCE)
    facts = demo_facts(read_seed(settings.home), server_facts(settings, backends))
    supervisor.on_stop(lambda: settings.facts_path.unlink(missing_ok=True))
    write_facts(settings.facts_path, facts)
    say("\n" + welcome(facts, path=shown(settings.facts_path), seconds=time.monotonic() - started))
    supervisor.stay()


def start_backends(settings: RunSettings, supervisor: Supervisor) -> Backends:
    """The servers that the environment names, or embedded ones."""
    database_url = settings.database_url
    if database_url is None:
        say(f"Starting PostgreSQL on {shown(settings.home / 'postgres')}")
        postgres = Postgres(settings.home / "postgres", log=settings.logs / "postgres.log")
        supervisor.on_stop(postgres.stop)
        postgres.start()
        supervisor.watch(postgres.server)
        database_url = postgres.url
    if settings.valkey_url is not None:
        return Backends(database_url, settings.valkey_url, cache_beside(settings.valkey_url))
    valkey = Valkey(settings.home, log=settings.logs / "valkey.log")
    supervisor.on_stop(valkey.stop)
    valkey.start()
    supervisor.watch(valkey.server)
    return Backends(database_url, valkey.broker_url, valkey.cache_url)


def start_stripe(settings: RunSettings, supervisor: Supervisor) -> str:
    """Start the stand-in for Stripe; the key that it knows us by.

    It may end and come back, as the real one does, while the product goes on.
    """
    say(f"Starting the Stripe sandbox on port {settings.stripe_port}")
    stripe, port = programs.stripe(settings), settings.stripe_port
    supervisor.start(stripe)
    supervisor.wait_until(lambda: programs.answers_as_sandbox(port), what="The Stripe sandbox", patience=READY_PATIENCE)
    supervisor.keep_alive(stripe)
    return persistent_secret(settings.home / "stripe_key", make=stripe_test_key)


def start_providers(settings: RunSettings, supervisor: Supervisor) -> None:
    """Start the stand-in for the providers of keys; like the real ones it may be gone for a while."""
    say(f"Starting the providers' sandbox on port {settings.providers_port}")
    providers, port = programs.providers(settings), settings.providers_port
    supervisor.start(providers)
    up = partial(programs.answers_as_sandbox, port)
    supervisor.wait_until(up, what="The providers' sandbox", patience=READY_PATIENCE)
    supervisor.keep_alive(providers)


def start_mailbox(settings: RunSettings, supervisor: Supervisor) -> None:
    """Start what takes the demo's e-mails, unless the environment names a server that sends them."""
    if settings.mail_url is None:
        return
    say(f"Starting the mailbox on port {settings.mail_port}")
    mailbox, up = programs.mailbox(settings), partial(programs.answers_as_sandbox, settings.mail_port)
    supervisor.start(mailbox)
    supervisor.wait_until(up, what="The mailbox", patience=READY_PATIENCE)
    supervisor.keep_alive(mailbox)


def server_facts(settings: RunSettings, backends: Backends) -> dict[str, object]:
    """What this run adds to what the demo's data say of themselves."""
    return {
        "url": settings.url,
        "database_url": backends.database_url,
        "stripe_url": settings.stripe_url,
        "providers_url": settings.providers_url,
        "provider_keys": valid_keys(),
        "mail_url": settings.mail_url,
    }


def prepare_state(settings: RunSettings, supervisor: Supervisor, environment: dict[str, str]) -> None:
    """Tables, demo tenants and static files; quick where they are there already."""
    say("Migrating the database")
    supervisor.run(programs.migrate(settings, environment))
    say("Loading the demo")
    supervisor.run(programs.load_demo(settings, environment))
    say("Connecting Stripe")
    supervisor.run(programs.connect_stripe(settings, environment))
    if settings.stripe_url:
        supervisor.run(programs.buy_plan(settings, environment))
    stamp, fingerprint = settings.home / "static-fingerprint", programs.static_fingerprint()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != fingerprint:
        supervisor.run(programs.collect_static(settings, environment))
        write_private(stamp, fingerprint)


def say(text: str) -> None:
    print(text, flush=True)


def shown(path: Path) -> Path:
    """Relative to where the person stands, when it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _on_signal(_number: int, _frame: FrameType | None) -> None:
    """Stopping takes seconds and is bounded: a second Ctrl-C must not leave half of it undone."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
