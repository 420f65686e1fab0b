"""The real processes of a replay, and ways to kill them: PostgreSQL, the web server, workers that fold."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from sandbox.cluster import program
from sandbox.configuration import PROJECT, Backends, RunSettings, django_environment
from sandbox.errors import SandboxError
from sandbox.postgres import Postgres
from sandbox.process import Child
from sandbox.programs import answers_ready, web_server
from sandbox.sockets import LOOPBACK

_STEP = "import json, sys, django; django.setup(); from tests.faults import steps; steps.{}(json.loads(sys.argv[1]))"
WORKERS = 2
PATIENCE = 120.0  # seconds for the web server's first answer, on a machine that does much besides


class Servers:
    """Everything that one replay runs on, in a folder of its own; what was killed is started again by `mend`."""

    def __init__(self, folder: Path, template: str) -> None:
        """`template` is the URL of a migrated database, whose schema is copied."""
        self._folder = folder
        self.found = folder / "differences"  # what workers found wrong, a line each
        self._postgres = Postgres(folder / "postgres", durable=True)
        self._postgres.start()
        _copy(template, self._postgres.url)
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            self._settings = RunSettings(probe.getsockname()[1], folder, None, None)
        backends = Backends(self._postgres.url, "redis://127.0.0.1:1/0", "")
        self._environment = django_environment(self._settings, backends, secret_key="for-a-replay-" * 5)
        self._web = web_server(self._settings, self._environment)
        self._workers = [
            self._step(f"worker{number}", "work", {"limit": 7, "found": str(self.found)}) for number in range(WORKERS)
        ]

    @property
    def url(self) -> str:
        return self._settings.url

    @property
    def database_url(self) -> str:
        return self._postgres.url

    def step(self, name: str, choices: dict[str, Any]) -> dict[str, Any]:
        """Let another process do a step to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", _STEP.format(name), json.dumps(choices)],
            cwd=PROJECT,
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def mend(self) -> None:
        """Start what does not run: also what has ended because something else was killed."""
        if not self._postgres_pid():
            self._restart_postgres()
        for child in (self._web, *self._workers):
            if not child.is_running():
                child.stop()
                child.start()

    def wait_until_ready(self) -> None:
        """Until calls are answered."""
        deadline = time.monotonic() + PATIENCE
        while not answers_ready(self._settings.port):
            self.mend()
            if time.monotonic() > deadline:
                raise AssertionError(self._web.describe_end())
            time.sleep(0.1)

    def kill(self, what: str, chance: random.Random) -> None:
        """SIGKILL; whoever it hits gets no chance to tidy up."""
        match what:
            case "web":
                _kill([_process(self._web), *_process(self._web).children(recursive=True)])
            case "web worker":
                _kill([chance.choice(_process(self._web).children())])
            case "worker":
                _kill([_process(chance.choice(self._workers))])
            case "backend":
                _kill(self._backends(chance))
            case "postmaster":
                server = psutil.Process(self._postgres_pid())
                rest = server.children(recursive=True)
                _kill([server])
                _, alive = psutil.wait_procs(rest, timeout=10)  # they notice that they are orphans
                _kill(alive)

    def stop_workers(self) -> None:
        for worker in self._workers:
            worker.stop()

    def stop(self) -> None:
        for child in (self._web, *self._workers):
            child.stop()
        self._postgres.stop()

    def _step(self, log: str, name: str, choices: dict[str, Any]) -> Child:
        command = [sys.executable, "-c", _STEP.format(name), json.dumps(choices)]
        log_path = self._settings.logs / f"{log}.log"
        return Child(log, command, log=log_path, environment=self._environment, folder=PROJECT)

    def _postgres_pid(self) -> int:
        """The postmaster's, 0 where it does not run."""
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.NoSuchProcess):
            pid_file = self._folder / "postgres" / "data" / "postmaster.pid"
            pid = int(pid_file.read_text(encoding="ascii").split()[0])
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                return pid
        return 0

    def _backends(self, chance: random.Random) -> list[psutil.Process]:
        """One process that serves a client, of those that do."""
        children = psutil.Process(self._postgres_pid()).children()
        clients = []
        for child in children:
            with contextlib.suppress(psutil.Error):
                if "quaestor quaestor" in " ".join(child.cmdline()):
                    clients.append(child)
        return [chance.choice(clients)] if clients else []

    def _restart_postgres(self) -> None:
        self._postgres.stop()
        for _ in range(20):
            try:
                self._postgres.start()
            except SandboxError:
                time.sleep(0.5)  # orphans may still hold the shared memory
            else:
                return
        raise AssertionError("PostgreSQL does not start again.")


def _process(child: Child) -> psutil.Process:
    return psutil.Process(child.pid)


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            os.kill(process.pid, signal.SIGKILL)
    psutil.wait_procs(processes, timeout=10)


def _copy(template: str, url: str) -> None:
    """The template's tables, functions and triggers; migrating again would take most of the test's time."""
    dump = subprocess.run(
        [str(program("pg_dump")), "--no-owner", "--no-privileges", template], stdout=subprocess.PIPE, check=True
    )
    command = [str(program("psql")), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", url]
    subprocess.run(command, input=dump.stdout, stdout=subprocess.DEVNULL, check=True)
