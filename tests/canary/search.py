"""Secrets that are nobody's, and how they are found again in whatever form somebody may have written them down."""

import secrets
import string
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from urllib.parse import quote, quote_plus

_LETTERS = string.ascii_letters + string.digits
_SPAN = 10  # characters: more than the last four that may be shown, and no text has them by chance
_SPECIAL = "+/<&\"\\'%="  # each written in its own way by addresses, JSON, HTML or SQL


@dataclass(frozen=True)
class Canary:
    """A provider key; `core` is the part of it that stands nowhere else."""

    name: str
    text: str
    core: str


def plain_canary(name: str, before: str = "sk-proj-") -> Canary:
    """As a provider's keys look."""
    core = "".join(secrets.choice(_LETTERS) for _ in range(40))
    return Canary(name, before + core, core)


def bare_canary(name: str) -> Canary:
    """One that no pattern tells from an id."""
    core = secrets.token_hex(16)
    return Canary(name, core, core)


def special_canary(name: str) -> Canary:
    """One that is written in another way by nearly everything."""
    core = _SPECIAL + secrets.token_hex(12) + _SPECIAL + secrets.token_hex(8)
    return Canary(name, core, core)


def leaks(text: str, canaries: Iterable[Canary]) -> list[str]:
    """Which canaries are in the text, and in which form."""
    folded = text.casefold()
    return [
        f"{canary.name} ({form})"
        for canary in canaries
        for form, spelling in _spellings(canary)
        if spelling in (folded if form in {"part", "reversed"} else text)
    ]


def _spellings(canary: Canary) -> Iterator[tuple[str, str]]:
    core = canary.core
    for begin in range(0, len(core) - _SPAN + 1, _SPAN // 2):
        part = core[begin : begin + _SPAN].casefold()
        yield "part", part
        yield "reversed", part[::-1]
    for span in (core[: len(core) // 2], core[len(core) // 2 :]):
        raw = span.encode()
        for before in range(3):  # where a multiple of three bytes begins
            yield "base64", _inner(b64encode(bytes(before) + raw).decode(), before)
            yield "base64url", _inner(urlsafe_b64encode(bytes(before) + raw).decode(), before)
        yield from (("hex", raw.hex()), ("hex", raw.hex().upper()))
        yield "UTF-16", span.encode("utf-16-le").decode()
        yield from (("URL", quote(span, safe="")), ("URL", quote_plus(span)), ("HTML", escape(span)))
        yield "JSON", "".join(f"\\u{ord(character):04x}" for character in span)
        yield "Python", "".join(f"\\x{ord(character):02x}" for character in span)
        yield "HTML", "".join(f"&#{ord(character)};" for character in span)


def _inner(encoded: str, before: int) -> str:
    """Without the characters that depend on what stands before and after."""
    return encoded[(0, 2, 3)[before] :].rstrip("=")[:-2]
