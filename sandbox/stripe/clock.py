"""The sandbox's time: real time plus an offset that only grows, and what falls due as time moves.

A module with work that time brings registers a function with `due`. Asked for a test clock's id, or None for the
sandbox's own clock, it names the earliest thing that waits there: when (unix seconds) and what to do. Moving a clock
does these one by one in time order, each with the clock standing at its own time.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.stripe.errors import invalid
from sandbox.stripe.store import Store

if TYPE_CHECKING:
    from sandbox.stripe.state import State

Work = Callable[[], None]
Due = Callable[["State", str | None], tuple[int, Work] | None]

TEST_CLOCK = "test_helpers.test_clock"
LONGEST_SERIES = 100_000  # things done in one move; past this something never stops being due

DUE: list[Due] = []


def due(function: Due) -> Due:
    """Register what can fall due; equal times run in the order of registration."""
    DUE.append(function)
    return function


class Clock:
    """The sandbox's own clock; its offset is kept in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._standing: int | None = None

    @property
    def offset(self) -> int:
        return int(self._store.fact("clock_offset") or 0)

    def now(self) -> int:
        """Unix seconds: while due work is done, the time it was due."""
        return self.target() if self._standing is None else self._standing

    def target(self) -> int:
        """Unix seconds of the clock, also while earlier work is being done."""
        return int(time.time()) + self.offset

    def move(self, state: "State", *, to: int) -> None:
        """Move on to a later second and do what was due by then; 400 for an earlier one."""
        ahead = to - self.target()
        if ahead < 0:
            raise invalid("The clock can only move forward.", "to")
        start = self.target()
        self._store.set_fact("clock_offset", self.offset + ahead)
        self.catch_up(state, start=start)

    def catch_up(self, state: "State", *, start: int | None = None) -> None:
        """Do what has fallen due by now; the clock never stands before `start` meanwhile."""
        until = self.target()
        earliest = start if start is not None else 0
        try:
            for when, work in series(state, None, until):
                self._standing = max(when, earliest)
                work()
        finally:
            self._standing = None


def series(state: "State", test_clock: str | None, until: int) -> "Series":
    """What falls due on a clock up to a second, in time order; each is found after the one before it was done."""
    return Series(state, test_clock, until)


class Series:
    """Iterates over (when, work)."""

    def __init__(self, state: "State", test_clock: str | None, until: int) -> None:
        self._state = state
        self._test_clock = test_clock
        self._until = until
        self._left = LONGEST_SERIES

    def __iter__(self) -> "Series":
        return self

    def __next__(self) -> tuple[int, Work]:
        waiting = [item for function in DUE if (item := function(self._state, self._test_clock))]
        item = min(waiting, key=lambda pair: pair[0], default=None)
        if item is None or item[0] > self._until:
            raise StopIteration
        self._left -= 1
        if self._left < 0:
            raise RuntimeError("Something stays due for ever.")
        return item


def move_test_clock(state: "State", clock_id: str, *, to: int) -> None:
    """Advance a test clock and do what was due on it by then; 400 for an earlier time."""
    clock = state.store.get(TEST_CLOCK, clock_id)
    if to < clock["frozen_time"]:
        raise invalid("A test clock can only be advanced to a later time.", "frozen_time")
    for when, work in series(state, clock_id, to):
        if when > clock["frozen_time"]:
            clock["frozen_time"] = when
            state.store.put(TEST_CLOCK, clock)
        work()
    clock["frozen_time"] = to
    state.store.put(TEST_CLOCK, clock)
