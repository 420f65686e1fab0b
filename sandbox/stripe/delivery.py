"""Webhooks on their way: sent by a thread beside the calls, tried again with growing pauses."""

import http.client
import json
import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sandbox.stripe.signing import signature_header
from sandbox.stripe.values import Json

if TYPE_CHECKING:
    from sandbox.stripe.state import State

logger = logging.getLogger(__name__)

SUCCESS = 2  # hundreds
TIME_OUT = 10.0  # seconds for the receiver's answer
MOST_TRIES = 20
LONGEST_PAUSE = 300.0  # seconds between two tries
LONGEST_NAP = 1.0  # seconds; also how late work that real time brings may be noticed
BATCH = 20

WAITING = """
    SELECT d.id, d.event, d.endpoint, d.due, d.state, d.tries, e.body AS event_body, h.body AS endpoint_body
    FROM deliveries d
    JOIN objects e ON e.kind = 'event' AND e.id = d.event
    JOIN objects h ON h.kind = 'webhook_endpoint' AND h.id = d.endpoint
"""


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one endpoint."""

    id: str
    state: str
    tries: int
    endpoint: Json
    event: Json

    @property
    def body(self) -> str:
        return json.dumps(self.event, indent=2)

    def headers(self) -> dict[str, str]:
        """Signed now."""
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature_header(self.endpoint["_secret"], self.body),
        }

    def send(self) -> bool:
        """Whether the receiver said 2xx in time."""
        address = urlsplit(self.endpoint["url"])
        connect = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = connect(address.hostname or "", address.port, timeout=TIME_OUT)
        try:
            target = (address.path or "/") + (f"?{address.query}" if address.query else "")
            connection.request("POST", target, self.body.encode(), self.headers())
            return connection.getresponse().status // 100 == SUCCESS
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            connection.close()


class Courier:
    """Sends what is due; at most one is on its way at a time, so that without a mode events arrive in order."""

    def __init__(self, state: "State") -> None:
        self._state = state
        self._news = threading.Event()
        self._sending = threading.Lock()
        self._is_stopped = False

    def start(self) -> None:
        with self._state.transaction():
            self._state.store.run("UPDATE deliveries SET state = 'pending' WHERE state = 'sending'")
        threading.Thread(target=self._work, name="courier", daemon=True).start()

    def stop(self) -> None:
        self._is_stopped = True
        self.wake()

    def wake(self) -> None:
        self._news.set()

    def deliveries(self) -> list[Delivery]:
        """All of them, the oldest first."""
        with self._state.transaction():
            return self._find("ORDER BY d.position")

    def flush(self) -> Json:
        """Send all that waits, also what is held or late, each once; what that brings about is sent too."""
        tried: set[str] = set()
        delivered = 0
        while True:
            with self._sending, self._state.transaction():
                waiting = self._find("WHERE d.state IN ('pending', 'held') ORDER BY d.due, d.position")
            fresh = [delivery for delivery in waiting if delivery.id not in tried]
            if not fresh:
                return {"sent": len(tried), "delivered": delivered, "failed": len(tried) - delivered}
            for delivery in fresh:
                tried.add(delivery.id)
                with self._sending:
                    delivered += self._deliver(delivery)

    def _work(self) -> None:
        while not self._is_stopped:
            self._news.wait(LONGEST_NAP)
            self._news.clear()
            try:
                self._catch_up()
                while self._send_batch():
                    pass
            except Exception as error:  # a fault of the sandbox: seen by the test, and the next round tries again
                logger.exception("The courier failed")
                self._state.violations.append({"request": "courier", "reason": f"{type(error).__name__}: {error}"})

    def _catch_up(self) -> None:
        """What real time has made due since the last look."""
        with self._state.transaction():
            self._state.clock.catch_up(self._state)

    def _send_batch(self) -> bool:
        """Send some of what is due; whether there was any."""
        condition = "WHERE d.state = 'pending' AND d.due <= ? ORDER BY d.due, d.position LIMIT ?"
        with self._state.transaction():
            batch = self._find(condition, time.time(), BATCH)
        for delivery in batch:
            with self._sending:
                self._deliver(delivery)
        return bool(batch)

    def _deliver(self, delivery: Delivery) -> bool:
        """Send it, unless somebody else has meanwhile, and write down what became of it."""
        with self._state.transaction():
            claimed = self._state.store.run(
                "UPDATE deliveries SET state = 'sending', tries = tries + 1 "
                "WHERE id = ? AND state IN ('pending', 'held') RETURNING tries",
                delivery.id,
            )
        if not claimed:
            return True
        is_delivered = delivery.send()
        tries: int = claimed[0]["tries"]
        state = "delivered" if is_delivered else ("pending" if tries < MOST_TRIES else "failed")
        due = time.time() + min(2.0 ** (tries - 1), LONGEST_PAUSE)
        with self._state.transaction():
            statement = "UPDATE deliveries SET state = ?, due = ? WHERE id = ? RETURNING event"
            if self._state.store.run(statement, state, due, delivery.id) and is_delivered:
                self._note_arrival(delivery.event["id"])
        return is_delivered

    def _note_arrival(self, event_id: str) -> None:
        event = self._state.store.find("event", event_id)
        if event and event["pending_webhooks"]:
            event["pending_webhooks"] -= 1
            self._state.store.put("event", event)

    def _find(self, condition: str, *values: float) -> list[Delivery]:
        rows = self._state.store.run(WAITING + condition, *values)
        return [
            Delivery(
                row["id"],
                row["state"],
                row["tries"],
                endpoint=json.loads(row["endpoint_body"]),
                event=json.loads(row["event_body"]),
            )
            for row in rows
        ]
