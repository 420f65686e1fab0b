"""Programs started in order, watched together, stopped in reverse."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from sandbox.errors import SandboxError
from sandbox.process import Child

PULSE = 0.2  # seconds between two looks at the children


class Supervisor:
    """Everything given to it is stopped when it closes, the last one first."""

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._stops = ExitStack()

    def start(self, child: Child) -> None:
        """Start a program that must go on for as long as we do."""
        self._stops.callback(child.stop)
        child.start()
        self.watch(child)

    def watch(self, child: Child) -> None:
        """Notice when a program that somebody else started ends."""
        self._children.append(child)

    def on_stop(self, action: Callable[[], None]) -> None:
        """Call this when closing, before everything that was given earlier is stopped."""
        self._stops.callback(action)

    def run(self, step: Child) -> None:
        """Run a program to its end; SandboxError with the end of its log when it fails."""
        try:
            step.start()
            step.finish()
        finally:
            step.stop()
        self.require_all_running()

    def wait_until(self, ready: Callable[[], bool], *, what: str, patience: float) -> None:
        """Look until it is ready; SandboxError when a child ends or `patience` seconds pass before that."""
        deadline = time.monotonic() + patience
        while not ready():
            self.require_all_running()
            if time.monotonic() > deadline:
                raise SandboxError(f"{what} is not ready after {patience:.0f} seconds.")
            time.sleep(PULSE)

    def stay(self) -> None:
        """Stay until a child ends by itself, which is a SandboxError, or a signal ends us."""
        while True:
            self.require_all_running()
            time.sleep(PULSE)

    def require_all_running(self) -> None:
        for child in self._children:
            child.require_running()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stops.close()
