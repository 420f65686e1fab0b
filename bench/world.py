"""What is measured against: a fresh durable PostgreSQL with a thousand funded accounts, and the web server on it."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ACCOUNTS = 1000


@dataclass(frozen=True)
class World:
    """A filled database and a running web server."""

    database_url: str
    port: int
    key: str


@contextmanager
def running_world(folder: Path, database_url: str, *, workers: int, threads: int) -> Iterator[World]:
    """Fill the database and serve it until the context ends."""
    port = _free_port()
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "SECRET_KEY": "only-for-benchmarks-" * 3,
        "INSECURE_COOKIES": "1",
        "STATIC_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    _run(["manage.py", "migrate", "--no-input", "--verbosity=0"], environment)
    key = _run(["-m", "bench.fill_main"], environment).split()[-1]
    command = ["-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(workers), "--blocking-threads", str(threads), "--log-level", "warning"]
    with (folder / "web.log").open("w") as log:
        web = subprocess.Popen(
            [sys.executable, *command, "config.wsgi:application"], cwd=PROJECT, env=environment, stdout=log, stderr=log
        )
        try:
            _wait(port)
            yield World(database_url, port, key)
        finally:
            web.terminate()
            web.wait(timeout=20)


def _run(arguments: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=PROJECT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The web server did not become ready; see web.log.")
