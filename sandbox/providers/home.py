"""The page at / for people who try the demo: which keys there are, and what each one does."""

from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from sandbox.providers.keys import MEANINGS, State
from sandbox.providers.provider import Provider
from sandbox.providers.registry import PROVIDERS
from sandbox.providers.wire import Answer

FOLDER = Path(__file__).parent / "pages"
KINDS = {
    "llm": "Language models",
    "stt": "Speech to text",
    "tts": "Text to speech",
    "telephony": "Telephony",
    "email": "E-mail",
}
GOOD, DOUBTFUL = {State.VALID, State.SLOW}, {State.RESTRICTED, State.RATE_LIMITED}


def home_page(host: str) -> Answer:
    """`host` is how the reader got here, so that base addresses can be copied."""
    body = _fill(
        "home.html",
        style=_Html(_text("style.css")),
        states=_joined(_fill("state.html", state=state, tone=_tone(state), meaning=MEANINGS[state]) for state in State),
        sections=_joined(_section(kind, host) for kind in KINDS),
    )
    return Answer(200, body.encode(), {"Content-Type": "text/html; charset=utf-8", "X-Frame-Options": "DENY"})


def _section(kind: str, host: str) -> "_Html":
    members = [provider for provider in PROVIDERS.values() if provider.kind == kind]
    cards = _joined(_card(provider, host) for provider in members)
    return _fill("section.html", kind=kind, title=KINDS[kind], cards=cards)


def _card(provider: Provider, host: str) -> "_Html":
    rows = _joined(
        _fill("key.html", state=state, tone=_tone(state), key=provider.key(state))
        for state in State
        if provider.needs_key or state == State.INVALID
    )
    return _fill(
        "provider.html",
        id=provider.id,
        name=provider.name,
        base=f"http://{host}/{provider.id}",
        check=provider.check,
        note="" if provider.needs_key else "Needs no key. As a bearer token, only this one is refused:",
        rows=rows,
    )


def _tone(state: State) -> str:
    if state in GOOD:
        return "good"
    return "warn" if state in DOUBTFUL else "bad"


class _Html(str):
    """Text that is markup already."""

    __slots__ = ()


def _fill(template: str, **values: str) -> _Html:
    safe = {name: value if isinstance(value, _Html) else escape(value) for name, value in values.items()}
    return _Html(Template(_text(template)).substitute(safe))


def _joined(parts: Iterable[_Html]) -> _Html:
    return _Html("".join(parts))


@cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
