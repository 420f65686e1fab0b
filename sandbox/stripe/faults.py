"""Faults on order: what a network or a struggling server would do to the next requests that match."""

import re
import threading
from dataclasses import dataclass

from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.values import Json

KINDS = ("status", "timeout", "lost", "slow")
TEXTS = {
    429: ("Request rate limit exceeded.", "invalid_request_error", "rate_limit"),
    401: ("Invalid API Key provided.", "invalid_request_error", None),
    403: ("The provided key does not have the required permissions.", "invalid_request_error", None),
    409: ("This object cannot be accessed right now; try again.", "invalid_request_error", "lock_timeout"),
}


@dataclass
class Fault:
    kind: str
    path: re.Pattern[str]
    method: str | None
    status: int
    seconds: float
    times: int

    def error(self) -> StripeError:
        """What is answered where a status was ordered."""
        message, error_type, code = TEXTS.get(self.status, ("An error occurred on our end.", "api_error", None))
        return StripeError(message, status=self.status, error_type=error_type, code=code)


class Faults:
    """Used up in the order in which they were ordered."""

    def __init__(self) -> None:
        self._ordered: list[Fault] = []
        self._lock = threading.Lock()

    def order(self, wish: Json) -> None:
        """400 for a wish that makes no sense."""
        kind = wish.get("kind")
        if kind not in KINDS:
            raise invalid(f"kind is one of {', '.join(KINDS)}.", "kind")
        try:
            path = re.compile(wish.get("path", ""))
        except re.error as error:
            raise invalid(f"path is no regular expression: {error}", "path") from error
        fault = Fault(
            kind=str(kind),
            path=path,
            method=wish.get("method"),
            status=int(_number(wish, "status", 500)),
            seconds=_number(wish, "seconds", 0),
            times=int(_number(wish, "times", 1)),
        )
        with self._lock:
            self._ordered.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that befalls this request, which uses it once."""
        with self._lock:
            for fault in self._ordered:
                if fault.method in {None, method} and fault.path.search(path):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._ordered.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._ordered.clear()


def _number(wish: Json, name: str, default: float) -> float:
    value = wish.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise invalid(f"{name} must be a number.", name)
    return value
