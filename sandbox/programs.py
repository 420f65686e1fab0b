"""The programs of a running Quaestor, and the steps that prepare its state."""

import hashlib
import http.client
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from sandbox.configuration import PROJECT, RunSettings
from sandbox.process import Child
from sandbox.sockets import LOOPBACK

# Measured on two cores: two processes use both, four threads each hide the database's waits.
WEB_WORKERS = 2
WEB_THREADS = 4
THREAD_IDLE_SECONDS = 600  # granian's most: a thread that ends takes its database connection with it
STATIC_FOLDERS = ("static", "*/static", "*/*/static")


def web_server(settings: RunSettings, environment: Mapping[str, str]) -> Child:
    options = {
        "--interface": "wsgi",
        "--host": LOOPBACK,
        "--port": str(settings.port),
        "--workers": str(WEB_WORKERS),
        "--blocking-threads": str(WEB_THREADS),
        "--blocking-threads-idle-timeout": str(THREAD_IDLE_SECONDS),
        "--workers-kill-timeout": "4",
        "--log-level": "warning",
    }
    arguments = [part for option in options.items() for part in option]
    return _python(
        "web",
        ["-m", "granian", "--no-ws", "--respawn-failed-workers", *arguments, "config.wsgi:application"],
        settings,
        environment,
    )


def worker(settings: RunSettings, environment: Mapping[str, str]) -> Child:
    """Celery with its clock inside: one process is enough for what is due here."""
    schedule = str(settings.home / "celery-schedule")
    options = ["--beat", "--schedule", schedule, "--concurrency", "1", "--loglevel", "warning"]
    quiet = ["--without-gossip", "--without-mingle"]
    return _python("worker", ["-m", "celery", "-A", "config", "worker", *options, *quiet], settings, environment)


def webhook_worker(settings: RunSettings, environment: Mapping[str, str]) -> Child:
    """The worker that sends webhooks: threads, since it waits for others, and so that both lanes go on at once."""
    options = ["--queues", "webhooks", "--pool", "threads", "--concurrency", "4", "--loglevel", "warning"]
    quiet = ["--hostname", "webhooks@%h", "--without-gossip", "--without-mingle"]
    return _python("webhooks", ["-m", "celery", "-A", "config", "worker", *options, *quiet], settings, environment)


def stripe(settings: RunSettings) -> Child:
    """The stand-in for Stripe; what it has sold and sent stays in the state folder."""
    options = ["--port", str(settings.stripe_port), "--store", str(settings.home / "stripe.sqlite")]
    return _python("stripe", ["-m", "sandbox.stripe", *options], settings, os.environ)


def providers(settings: RunSettings) -> Child:
    """The stand-in for the providers of keys; keys that were registered there stay in the state folder."""
    options = ["--port", str(settings.providers_port), "--store", str(settings.home / "providers.json")]
    return _python("providers", ["-m", "sandbox.providers", *options], settings, os.environ)


def mailbox(settings: RunSettings) -> Child:
    """The mail server that passes nothing on, and its pages; what arrived stays in the state folder."""
    ports = ["--port", str(settings.mail_port), "--smtp-port", str(settings.smtp_port)]
    return _python("mail", ["-m", "sandbox.mail", *ports, "--store", str(settings.home / "mail")], settings, os.environ)


def connect_stripe(settings: RunSettings, environment: Mapping[str, str]) -> Child:
    """Push the catalogue to Stripe and ask for its webhooks; quick where both are there already."""
    return _python("connect_stripe", ["manage.py", "connect_stripe"], settings, environment)


def buy_plan(settings: RunSettings, environment: Mapping[str, str]) -> Child:
    """Let the second tenant pay for its plan at the stand-in, if it never has."""
    return _python("buy_plan", ["-m", "sandbox.demo.paying"], settings, environment)


def migrate(settings: RunSettings, environment: Mapping[str, str]) -> Child:
    return _python("migrate", ["manage.py", "migrate", "--no-input", "--verbosity=0"], settings, environment)


def load_demo(settings: RunSettings, environment: Mapping[str, str]) -> Child:
    """Its progress goes to the terminal: the first time takes a while."""
    command = ["-m", "sandbox.demo", "--home", str(settings.home)]
    return _python("demo", command, settings, environment, with_log=False)


def collect_static(settings: RunSettings, environment: Mapping[str, str]) -> Child:
    command = ["manage.py", "collectstatic", "--no-input", "--clear", "--verbosity=0"]
    return _python("collectstatic", command, settings, environment)


def static_fingerprint(project: Path = PROJECT) -> str:
    """Changes whenever a static file or the set of installed packages does."""
    folders = sorted(folder for pattern in STATIC_FOLDERS for folder in project.glob(pattern))
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    digest = hashlib.sha256((project / "requirements.lock").read_bytes())
    for path in files:
        status = path.stat()
        digest.update(f"{path.relative_to(project)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def answers_ready(port: int) -> bool:
    """Whether /readyz says 200: the web server is up and reaches its database."""
    return _answers(port, "/readyz")


def answers_as_sandbox(port: int) -> bool:
    """Whether a stand-in, or the mailbox, is up."""
    return _answers(port, "/_sandbox/health")


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _python(
    name: str, arguments: list[str], settings: RunSettings, environment: Mapping[str, str], *, with_log: bool = True
) -> Child:
    log = settings.logs / f"{name}.log" if with_log else None
    return Child(name, [sys.executable, *arguments], log=log, environment=environment, folder=PROJECT)
