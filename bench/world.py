"""What is measured against: a fresh durable PostgreSQL with a thousand funded accounts, and the web server on it."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.product import PROJECT, environment_for, product, run

ACCOUNTS = 1000
ROUNDS = 3


@dataclass(frozen=True)
class World:
    """A filled database and a running web server, `web` being the process that started its workers."""

    database_url: str
    port: int
    key: str
    web: int


@contextmanager
def running_world(folder: Path, database_url: str, *, workers: int, threads: int) -> Iterator[World]:
    """Fill the database and serve it until the context ends."""
    port = _free_port()
    environment = environment_for(database_url)
    run(["manage.py", "migrate", "--no-input", "--verbosity=0"], database_url)
    key = product(database_url, "fill")
    command = ["-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(workers), "--blocking-threads", str(threads), "--log-level", "warning"]
    with (folder / "web.log").open("w") as log:
        web = subprocess.Popen(
            [sys.executable, *command, "config.wsgi:application"], cwd=PROJECT, env=environment, stdout=log, stderr=log
        )
        try:
            _wait(port)
            yield World(database_url, port, key, web.pid)
        finally:
            web.terminate()
            web.wait(timeout=20)


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
