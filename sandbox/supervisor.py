"""Programs started in order, watched together, some started again, stopped in reverse."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from sandbox.errors import SandboxError
from sandbox.process import Child

PULSE = 0.2  # seconds between two looks at the children
FIRST_PAUSE = 0.5  # seconds before a kept child starts again; each time within a minute doubles it
MOST_RESTARTS = 5  # a minute
MINUTE = 60.0  # seconds


class Kept:
    """A child that is started again when it ends by itself, after pauses that grow, for as long as that helps."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._restarts: list[float] = []
        self._due: float | None = None

    def look_after(self, *, at: float) -> None:
        """Start it again if it has ended and the pause is over; `at` is monotonic.

        SandboxError with the end of its log where it has been started too often within the last minute.
        """
        if self._child.is_running():
            return
        if self._due is None:
            self._due = at + self._pause(at)
            print(f"{self._child.how_it_ended()}; starting it again.", flush=True)
        elif at >= self._due:
            self._due = None
            self._restarts.append(at)
            self._child.stop()
            self._child.start()

    def _pause(self, at: float) -> float:
        self._restarts = [restart for restart in self._restarts if at - restart < MINUTE]
        if len(self._restarts) == MOST_RESTARTS:
            raise SandboxError(f"Started again {MOST_RESTARTS} times within a minute: {self._child.describe_end()}")
        return FIRST_PAUSE * 2.0 ** len(self._restarts)


class Supervisor:
    """Everything given to it is stopped when it closes, the last one first."""

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._kept: list[Kept] = []
        self._stops = ExitStack()

    def start(self, child: Child) -> None:
        """Start a program that must go on for as long as we do."""
        self._stops.callback(child.stop)
        child.start()
        self.watch(child)

    def watch(self, child: Child) -> None:
        """Notice when a program that somebody else started ends."""
        self._children.append(child)

    def keep_alive(self, child: Child) -> None:
        """From now on start this one again when it ends: the others can do without it for a while."""
        self._children.remove(child)
        self._kept.append(Kept(child))

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
        """SandboxError when a child has ended, except those that are kept alive."""
        for child in self._children:
            child.require_running()
        for kept in self._kept:
            kept.look_after(at=time.monotonic())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stops.close()
