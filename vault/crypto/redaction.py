"""Takes keys out of texts that leave the process: logs, error reports, messages (K2).

By value, for every `Secret` that is alive, and by the look of keys, for those that never became one.
"""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from html import escape
from itertools import count
from typing import Protocol
from urllib.parse import quote, quote_plus
from weakref import ReferenceType, ref

REDACTED = "[redacted]"
_SHORTEST = 4  # a shorter value would blot out half of any text
_PART = 16  # the parts of a user:password pair that are worth hiding by themselves

# How providers' keys begin, ours and Stripe's among them. Bare hexadecimal keys look like ids: those go by value.
_KEYS = re.compile(
    r"""
      \b(?:sk|rk)[-_](?=[a-z_-]*[0-9A-Z])[A-Za-z0-9_-]{16,}
    | \bwhsec_[A-Za-z0-9+/=]{16,}
    | \bAIza[A-Za-z0-9_-]{20,}
    | \bAQ\.[A-Za-z0-9_-]{20,}
    | \bgsk_[A-Za-z0-9]{16,}
    | \btgp_v[0-9]_[A-Za-z0-9_-]{16,}
    | \bSG\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}
    | \bre_(?=[a-z]*[0-9A-Z])[A-Za-z0-9]{6,}_[A-Za-z0-9]{12,}
    | \bAC[0-9a-f]{32}:[0-9a-f]{32}
    | \bKEY[A-F0-9]{16,}[A-Za-z0-9_-]*
    | \bqk_[A-Za-z0-9]{16,}
    """,
    re.VERBOSE,
)
_NAME = r"(?:x[_-])?api[_-]?key|(?:access[_-]?|auth[_-]?)?token|secret|password|authorization"
# Where a text says that a key follows: a header, a parameter of an address, a field of JSON or of Python, a user's
# password in an address.
_ANNOUNCED = re.compile(
    rf"""
      (?P<before> \b(?:bearer|basic)\s+ | [?&](?:{_NAME}|key)= )[^\s&"'<>\\]{{4,}}
    | (?P<field> (?P<quote>\\?["'])(?:{_NAME})(?P=quote)\s*:\s* | \b(?:{_NAME})=(?=["']) )
      (?P<open>b?\\?["'])[^"'\\]{{4,}}
    | (?P<user> ://)[^\s/@"'<>]*:[^\s/@"'<>]+(?=@)
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Revealing(Protocol):
    """A secret as this module needs it."""

    def reveal(self) -> str: ...


_alive: dict[int, ReferenceType[Revealing]] = {}
_numbers = count()


def watch(secret: Revealing) -> None:
    """Redact the secret's value from now on until it is collected."""
    number = next(_numbers)
    _alive[number] = ref(secret, lambda _gone: _alive.pop(number, None))


def redact(text: str) -> str:
    """The text without values of live secrets and without what looks like a key."""
    values = {form for value in _live_values() for form in forms_of(value)}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, REDACTED)
    text = _KEYS.sub(REDACTED, text)
    return _ANNOUNCED.sub(_keep_announcement, text)


def _keep_announcement(found: re.Match[str]) -> str:
    kept = ("before", "field", "open", "user")
    return "".join(found[group] or "" for group in kept) + REDACTED


def shows_a_key(text: str) -> bool:
    """Whether a part of the text looks like a key: for names and addresses that many may read."""
    return _KEYS.search(text) is not None


def parts_of(value: str) -> Iterator[str]:
    """The value, and the halves of a user:password pair."""
    yield value
    yield from (part for part in value.split(":") if _PART <= len(part) < len(value))


def _live_values() -> Iterator[str]:
    for reference in list(_alive.values()):
        secret = reference()
        if secret is None:
            continue
        yield from (part for part in parts_of(secret.reveal()) if len(part) >= _SHORTEST)


def forms_of(value: str) -> Iterator[str]:
    """The value as addresses, JSON, Python, HTML and HTTP's basic authentication write it."""
    yield value
    encoded = value.encode()
    yield b64encode(encoded).decode()
    yield urlsafe_b64encode(encoded).decode()
    if not value.isalnum():
        yield from (quote(value), quote(value, safe=""), quote_plus(value))
        yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
        yield from (repr(value)[1:-1], escape(value))
