"""Keys in each provider's own form, the same ones at every start, and the states that they stand for."""

from enum import StrEnum
from hashlib import sha256
from string import ascii_letters, digits

HEX = digits + "abcdef"
HEX_CAPITALS = digits + "ABCDEF"
ALPHANUMERIC = digits + ascii_letters
URL_SAFE = ALPHANUMERIC + "-_"

Form = tuple[str | tuple[str, int], ...]
"""A key's parts: text as it is, or so many characters of an alphabet."""


class State(StrEnum):
    """What the provider thinks of a key."""

    VALID = "valid"
    RESTRICTED = "restricted"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    INVALID = "invalid"
    SLOW = "slow"
    UNREACHABLE = "unreachable"
    ECHO = "echo"


MEANINGS = {
    State.VALID: "works",
    State.RESTRICTED: "is known, but lacks the scopes or permissions that a check needs",
    State.RATE_LIMITED: "is answered 429 with Retry-After",
    State.QUOTA_EXHAUSTED: "has used up its credit or quota",
    State.INVALID: "is not known; so is every key that is not on this page",
    State.SLOW: "works, but is answered after half a minute, too late for a check",
    State.UNREACHABLE: "is never answered: the connection closes",
    State.ECHO: "is not known, and the error repeats the whole key",
}

NAMED = ("platform", "platform-2", "tenant", "tenant-2")
"""More valid keys for each provider, which the demo keeps in its vault."""


def key_text(form: Form, *seed: str) -> str:
    """The key of this form that belongs to the seed: always the same one."""
    digest, parts = _stream("/".join(seed), sum(part[1] for part in form if isinstance(part, tuple))), []
    for part in form:
        if isinstance(part, str):
            parts.append(part)
        else:
            alphabet, count = part
            parts.append("".join(alphabet[byte % len(alphabet)] for byte in digest[:count]))
            digest = digest[count:]
    return "".join(parts)


def _stream(seed: str, length: int) -> bytes:
    blocks = (sha256(f"{seed}/{number}".encode()).digest() for number in range(length // 32 + 1))
    return b"".join(blocks)[:length]
