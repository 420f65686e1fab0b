"""Idempotency keys: one execution for each, its answer kept for the next request with the same key."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.stripe.errors import StripeError
from sandbox.stripe.store import Store
from sandbox.stripe.values import Json

LONGEST_KEY = 255


class KeysInUse:
    """The keys whose first request is being executed right now."""

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def use(self, key: str | None) -> Iterator[None]:
        """409 while another request with this key is being executed."""
        if key is None:
            yield
            return
        with self._lock:
            if key in self._keys:
                raise StripeError(
                    f"There is currently another in-progress request using this Idempotent Key: {key}",
                    status=409,
                    error_type="idempotency_error",
                    code="idempotency_key_in_use",
                )
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)


def fingerprint(method: str, path: str, parameters: Json, account: str | None) -> str:
    """Equal for requests that ask for the same."""
    asked: list[Any] = [method, path, parameters, account]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def kept_answer(store: Store, key: str, request: str) -> tuple[int, Json] | None:
    """Status and body of the first request; 400 when that one asked for something else."""
    rows = store.run("SELECT request, status, body FROM answers WHERE key = ?", key)
    if not rows:
        return None
    if rows[0]["request"] != request:
        raise StripeError(
            f"Idempotency key {key} was first used with other parameters; use a new key for another request.",
            error_type="idempotency_error",
        )
    return rows[0]["status"], json.loads(rows[0]["body"])


def keep_answer(store: Store, key: str, request: str, *, status: int, body: Json) -> None:
    store.run("INSERT INTO answers VALUES (?, ?, ?, ?)", key, request, status, json.dumps(body))


def check_key(key: str) -> None:
    if not 0 < len(key) <= LONGEST_KEY:
        raise StripeError(f"An idempotency key has 1 to {LONGEST_KEY} characters.", error_type="idempotency_error")
