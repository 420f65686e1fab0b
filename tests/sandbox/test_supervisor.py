"""Programs that are started again when they end."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import supervisor as module
from sandbox.errors import SandboxError
from sandbox.process import Child
from sandbox.supervisor import Kept, Supervisor

PATIENT = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"


def child_of(folder: Path, code: str = PATIENT) -> Child:
    return Child("stripe", [sys.executable, "-c", code], log=folder / "stripe.log")


def pid_in(folder: Path) -> int:
    """Of the program that runs now; 0 before it has said so."""
    log = folder / "stripe.log"
    return int(log.read_text() or 0) if log.exists() else 0


def test_kept_program_is_started_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ended it; a line says so."""
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.1)
    child = child_of(tmp_path)
    with Supervisor() as supervisor:
        supervisor.start(child)
        supervisor.keep_alive(child)
        supervisor.wait_until(lambda: pid_in(tmp_path) > 0, what="it", patience=10)
        first = pid_in(tmp_path)
        os.kill(first, signal.SIGKILL)
        supervisor.wait_until(lambda: pid_in(tmp_path) not in {0, first}, what="it", patience=10)
        assert child.is_running()
    assert not child.is_running()
    assert capsys.readouterr().out == "stripe was ended by SIGKILL; starting it again.\n"


class Failing(Child):
    """A program that ends as soon as it is started, as often as that is."""

    starts = 0

    def start(self) -> None:
        super().start()
        self.finish()
        self.starts += 1


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[Failing]:
    child = Failing("stripe", [sys.executable, "-c", "print('no disk')"], log=tmp_path / "stripe.log")
    child.start()
    yield child
    child.stop()


def test_pauses_grow_and_have_an_end(failing: Failing) -> None:
    """Five times within a minute, then the run ends with its last words."""
    kept, began, at = Kept(failing), [0.0], 0.0
    while failing.starts < 6:
        at, starts = at + 0.5, failing.starts
        kept.look_after(at=at - 0.5)
        began += [at - 0.5] * (failing.starts - starts)
    assert began == [0.0, 0.5, 2.0, 4.5, 9.0, 17.5]
    with pytest.raises(SandboxError, match=r"(?s)5 times within a minute: stripe ended with code 0.*no disk"):
        kept.look_after(at=at)


def test_program_that_ends_now_and_then_is_kept_for_ever(failing: Failing) -> None:
    """What was long ago does not count."""
    kept = Kept(failing)
    for number in range(1, 9):
        kept.look_after(at=20.0 * number)
        kept.look_after(at=20.0 * number + 4)
    assert failing.starts == 9


def test_program_that_ends_before_it_is_kept_ends_the_run(tmp_path: Path) -> None:
    """A first start that fails is not tried again."""
    with Supervisor() as supervisor:
        supervisor.start(child_of(tmp_path, "raise SystemExit('port in use')"))
        with pytest.raises(SandboxError, match=r"(?s)stripe ended with code 1.*port in use"):
            supervisor.wait_until(lambda: False, what="it", patience=time.monotonic())
