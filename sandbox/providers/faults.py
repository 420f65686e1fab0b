"""Faults on order: what a network or a struggling provider would do to the next requests that match."""

from dataclasses import dataclass
from threading import Lock

from sandbox.providers.provider import Cause, Provider
from sandbox.providers.wire import Answer, Json

KINDS = ("status", "timeout", "hang_up", "slow", "echo", "redirect", "garbage")
CAUSES = {
    400: Cause.BAD_REQUEST,
    401: Cause.INVALID,
    402: Cause.QUOTA_EXHAUSTED,
    403: Cause.RESTRICTED,
    404: Cause.NOT_FOUND,
    429: Cause.RATE_LIMITED,
}
PATIENCE = 30.0  # seconds
GARBAGE = b"<!DOCTYPE html><title>502 Bad Gateway</title> "


class Senseless(Exception):
    """An order that cannot be followed; its text says why."""


@dataclass
class Fault:
    """Applies to `times` requests to the provider, or to any where none is named."""

    provider: str | None
    kind: str
    status: int
    seconds: float
    location: str
    size: int
    times: int

    def answer(self, provider: Provider, key: str) -> Answer | None:
        """Instead of the provider's own; None where this fault only delays it."""
        match self.kind:
            case "status":
                return provider.refusal(CAUSES.get(self.status, Cause.BROKEN), status=self.status)
            case "echo":
                return echo(provider, key, status=self.status)
            case "redirect":
                return Answer(302, b"", {"Location": self.location})
            case "garbage":
                return Answer(200, (GARBAGE * (self.size // len(GARBAGE) + 1))[: self.size], _AS_JSON)
            case "timeout":
                return Answer(0, after=self.seconds, hang_up=True)
            case "hang_up":
                return Answer(0, hang_up=True)
            case _:
                return None


_AS_JSON = {"Content-Type": "application/json"}


def echo(provider: Provider, key: str, *, status: int | None = None) -> Answer:
    """An error that repeats the whole key, as careless ones do."""
    return provider.refusal(Cause.INVALID, status=status, message=f"The key {key} is not valid.")


class Faults:
    """Used up in the order in which they were ordered."""

    def __init__(self) -> None:
        self._ordered: list[Fault] = []
        self._lock = Lock()

    def order(self, wish: Json, known: set[str]) -> None:
        """Senseless for a wish that makes no sense."""
        provider, kind = wish.get("provider"), wish.get("kind")
        if provider is not None and provider not in known:
            raise Senseless(f"provider is one of {', '.join(sorted(known))}.")
        if kind not in KINDS:
            raise Senseless(f"kind is one of {', '.join(KINDS)}.")
        fault = Fault(
            provider=provider,
            kind=str(kind),
            status=int(_number(wish, "status", 401 if kind == "echo" else 500)),
            seconds=_number(wish, "seconds", PATIENCE),
            location=str(wish.get("location", "http://127.0.0.1:9/")),
            size=int(_number(wish, "size", 200)),
            times=int(_number(wish, "times", 1)),
        )
        with self._lock:
            self._ordered.append(fault)

    def take(self, provider: str) -> Fault | None:
        """The fault that this request meets."""
        with self._lock:
            for fault in self._ordered:
                if fault.provider in {None, provider}:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._ordered.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._ordered.clear()


def _number(wish: Json, name: str, usual: float) -> float:
    value = wish.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise Senseless(f"{name} must be a number, zero or more.")
    return float(value)
