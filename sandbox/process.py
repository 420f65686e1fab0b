"""One child process: in a group of its own, its output in a log, stopped in bounded time, never left behind."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.files import tail


def lifeline(death_signal: signal.Signals) -> list[str]:
    """The start of a setpriv command whose child gets the signal when we die (Linux; elsewhere nothing)."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", death_signal.name.removeprefix("SIG")] if setpriv else []


class Child:
    """A program under our care."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path | None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        stop_signals: Sequence[tuple[signal.Signals, float]] = ((signal.SIGTERM, 6.0),),
        prefix: Sequence[str] | None = None,
    ) -> None:
        """`stop_signals` are tried in turn, each with its patience in seconds, before SIGKILL.

        `prefix` replaces the lifeline, for a program that also changes its user. Without a log the child writes
        where we do.
        """
        self.name = name
        self.log = log
        start = lifeline(stop_signals[0][0]) if prefix is None else prefix
        self._command = [*start, "--", *command] if start else [*command]
        self._environment = environment
        self._folder = folder
        self._stop_signals = stop_signals
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start in a new process group, so that a Ctrl-C at the terminal reaches us alone and we choose the order."""
        output = None if self.log is None else _open_log(self.log)
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
                env=None if self._environment is None else dict(self._environment),
                cwd=self._folder,
                process_group=0,
            )
        finally:
            if output is not None:
                os.close(output)

    @property
    def pid(self) -> int:
        """The program's process id; SandboxError before its start and after its stop."""
        if self._process is None:
            raise SandboxError(f"{self.name} is not started.")
        return self._process.pid

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def require_running(self) -> None:
        """Raise SandboxError with the end of the log when the program has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise SandboxError(self.describe_end())

    def finish(self) -> None:
        """Wait for a program that ends by itself; SandboxError when it failed."""
        if self._process is not None and self._process.wait() != 0:
            raise SandboxError(self.describe_end())

    def describe_end(self) -> str:
        """Which program ended, how, and the last words of its log."""
        words = tail(self.log) if self.log else ""
        return f"{self.how_it_ended()}." + (f" The end of {self.log}:\n{words}" if words else "")

    def how_it_ended(self) -> str:
        """Its name, and its exit code or the signal that ended it."""
        code = self._process.returncode if self._process else None
        if code is not None and code < 0:
            return f"{self.name} was ended by {signal.Signals(-code).name}"
        return f"{self.name} ended with code {code}"

    def stop(self) -> None:
        """Ask, ask harder, then kill; also whatever is left of the group. Safe to call twice or before start."""
        if self._process is None:
            return
        for stop_signal, patience in self._stop_signals:
            if self._process.poll() is not None:
                break
            self._process.send_signal(stop_signal)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None


def _open_log(path: Path) -> int:
    """A fresh log; the one of the run before stays beside it as NAME.1."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        path.replace(path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
