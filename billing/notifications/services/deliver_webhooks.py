import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from billing.notifications.services.record_attempt import record_attempt
from billing.notifications.webhook_claims import Claim, Lane, claim, give_back
from billing.notifications.webhook_posting import Outcome, post, posting_of
from vault.errors import VaultError
from vault.outbound.resolving import Resolve, addresses_of

_log = structlog.get_logger(__name__)
_PULSE = 0.1  # seconds between two looks for what has become due, while others are under way


def _nobody_waits() -> None:
    """Where nobody wants to hear that no more is claimed."""


def deliver_webhooks(
    *, at: datetime, lane: Lane, resolve: Resolve = addresses_of, done_claiming: Callable[[], None] = _nobody_waits
) -> int:
    """Send what is due in a lane until nothing is; answers how many tries were made (N1). No transaction may be open.

    Claims for a bounded time, so that a worker can stop, and then waits for what is under way: `done_claiming` is
    called in between. This thread speaks to the database, those of the pool to subscribers: whoever is slow keeps one
    of them busy, and nobody else waiting. Any number of workers may do this at once.
    """
    sweep = _Sweep(at, lane, resolve)
    with ThreadPoolExecutor(settings.WEBHOOKS_AT_ONCE, thread_name_prefix=f"webhooks-{lane}") as pool:
        try:
            sweep.serve(pool)
        finally:
            done_claiming()
        sweep.drain()
    return sweep.tries


class _Sweep:
    """One go through what is due. Times are of the clock that `at` was read from, and go on from there."""

    def __init__(self, at: datetime, lane: Lane, resolve: Resolve) -> None:
        self.tries = 0
        self._at, self._began = at, time.monotonic()
        self._lane, self._resolve = lane, resolve
        self._running: dict[Future[Outcome], Claim] = {}

    def serve(self, pool: ThreadPoolExecutor) -> None:
        """Claim, send and record until nothing is due and nothing under way, or for as long as a sweep may take."""
        while time.monotonic() - self._began < settings.WEBHOOK_SWEEP_SECONDS:
            free = settings.WEBHOOKS_AT_ONCE - len(self._running)
            claims = claim(lane=self._lane, limit=free, at=self._now()) if free else []
            for taken in claims:
                self._send(taken, pool)
            if not self._running:
                if not claims:
                    return
                continue
            self._collect(_PULSE)

    def drain(self) -> None:
        """Wait for what is under way."""
        while self._running:
            self._collect(settings.WEBHOOK_TIMEOUT_SECONDS)

    def _send(self, taken: Claim, pool: ThreadPoolExecutor) -> None:
        at = self._now()
        try:
            posting = posting_of(taken.delivery, at=at)
        except VaultError as error:
            _log.error("webhook_not_signed", delivery=str(taken.delivery.id), reason=str(error))
            give_back(taken, at=at)
            return
        seconds = settings.WEBHOOK_TIMEOUT_SECONDS
        self._running[pool.submit(post, posting, seconds=seconds, at=at, resolve=self._resolve)] = taken

    def _collect(self, patience: float) -> None:
        done, _ = wait(self._running, timeout=patience, return_when=FIRST_COMPLETED)
        for future in done:
            taken = self._running.pop(future)
            self.tries += 1
            record_attempt(taken=taken, outcome=future.result(), at=self._now())

    def _now(self) -> datetime:
        return self._at + timedelta(seconds=time.monotonic() - self._began)
