"""Verdicts on keys, and reading answers that nobody vouches for."""

import json
from dataclasses import dataclass
from decimal import Decimal

from vault.models import Health


@dataclass(frozen=True)
class Verdict:
    """What a check found (K2, K9). `reason` is ours and fit for everybody; `retry_after` is in seconds."""

    health: Health
    reason: str = ""
    retry_after: int | None = None


def valid() -> Verdict:
    return Verdict(Health.VALID)


def restricted(reason: str) -> Verdict:
    return Verdict(Health.RESTRICTED, reason)


def rate_limited(name: str) -> Verdict:
    return Verdict(Health.RATE_LIMITED, f"{name} knows the key and asks for fewer calls just now.")


def quota_exhausted(name: str) -> Verdict:
    return Verdict(Health.QUOTA_EXHAUSTED, f"The account at {name} has used up its credit or quota.")


def invalid(reason: str) -> Verdict:
    return Verdict(Health.INVALID, reason)


def unknown_key(name: str) -> Verdict:
    """The usual reason of an invalid key."""
    return invalid(f"{name} does not know this key.")


def unreachable(reason: str) -> Verdict:
    return Verdict(Health.UNREACHABLE, reason)


def read_json(body: bytes) -> object:
    """The body's JSON with exact numbers; None where it is none, or is nested beyond reason."""
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def found_at(answer: object, *path: str | int) -> object:
    """What stands at the path of keys and indexes; None where nothing does."""
    for step in path:
        match answer, step:
            case dict(), str():
                answer = answer.get(step)
            case list(), int() if step < len(answer):
                answer = answer[step]
            case _:
                return None
    return answer


def text_at(answer: object, *path: str | int) -> str:
    """The text at the path, or an empty one. A code is compared, a message searched, neither is passed on."""
    found = found_at(answer, *path)
    return found if isinstance(found, str) else ""


def number_at(answer: object, *path: str | int) -> Decimal | None:
    """The number at the path, also where it is written as text, as amounts are."""
    found = found_at(answer, *path)
    if isinstance(found, bool) or not isinstance(found, int | Decimal | str):
        return None
    try:
        number = Decimal(found)
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


def is_list_at(answer: object, *path: str | int) -> bool:
    return isinstance(found_at(answer, *path), list)
