"""The one state of a process: its store, its clock, its lock and the events that calls leave."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.stripe import events
from sandbox.stripe.clock import TEST_CLOCK, Clock
from sandbox.stripe.delivery import Courier
from sandbox.stripe.faults import Faults
from sandbox.stripe.store import MEMORY, Store
from sandbox.stripe.values import Json


class State:
    """What handlers work on. They run one at a time, each inside `transaction`."""

    def __init__(self, path: Path | str = MEMORY) -> None:
        self.store = Store(path)
        self.clock = Clock(self.store)
        self.request: Json | None = None  # the call in progress, as events name it: id and idempotency_key
        self.base_url = ""  # where this process answers: for the addresses of hosted pages
        self.faults = Faults()
        self.violations: list[Json] = []  # answers of ours that broke the contract
        self.courier = Courier(self)
        self._has_news = False  # whether the transaction has left deliveries
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """The lock, and all of what is written or nothing; nested, it takes back only its own part."""
        with self._lock:
            try:
                with self.store.transaction():
                    yield
            finally:  # also after a decline, whose record is kept
                if self._has_news:
                    self._has_news = False
                    self.courier.wake()

    def reset(self) -> None:
        """Forget everything, as a new process on an empty store."""
        self.faults.clear()
        self.violations.clear()
        with self._lock, self.store.transaction():
            self.store.clear()

    def mark(self) -> None:
        """Remember everything, to come back to."""
        with self._lock:
            self.store.mark()

    def return_to_mark(self) -> bool:
        """Everything as it was at the mark, the clock and the webhooks on their way too; whether there is one."""
        self.faults.clear()
        self.violations.clear()
        with self._lock:
            return self.store.return_to_mark()

    def now(self, obj: Json | None = None) -> int:
        """Unix seconds on the test clock of the object or of its customer, if it has one, else on the sandbox's."""
        clock_id = self.test_clock_of(obj)
        if clock_id is None:
            return self.clock.now()
        frozen: int = self.store.get(TEST_CLOCK, clock_id)["frozen_time"]
        return frozen

    def test_clock_of(self, obj: Json | None) -> str | None:
        """The test clock's id that an object lives on; None for the sandbox's own clock."""
        if obj is None:
            return None
        clock_id: str | None = obj.get("test_clock") or obj.get("_test_clock")
        if clock_id is None and isinstance(obj.get("customer"), str):
            customer = self.store.find("customer", obj["customer"]) or {}
            clock_id = customer.get("test_clock")
        return clock_id

    def emit(self, event_type: str, obj: Json, previous: Json | None = None, *, account: str | None = None) -> None:
        """Store an event with a snapshot of the object, and queue its deliveries with the transaction."""
        self._has_news = True
        events.emit(self, event_type, obj, previous, account=account)
