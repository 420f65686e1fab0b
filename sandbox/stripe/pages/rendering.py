"""HTML from the templates beside this file: every value is escaped unless it is markup already."""

from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template

from billing.core.money import from_minor_units, minor_exponent
from sandbox.stripe.routing import Page

FOLDER = Path(__file__).parent
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£"}


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


NOTHING = Html("")


def fill(template: str, **values: object) -> Html:
    """The template of this name with its $placeholders replaced."""
    safe = {name: value if isinstance(value, Html) else escape(str(value)) for name, value in values.items()}
    return Html(_template(template).substitute(safe))


def joined(parts: Iterable[Html]) -> Html:
    return Html("".join(parts))


def document(title: str, body: Html, *, status: int = 200, layout: str = "layout") -> Page:
    """A whole page around the body."""
    page = fill(
        f"{layout}.html",
        title=title,
        style=Html(_text("style.css")),
        script=Html(_text("script.js")),
        script_hash=_script_hash(),
        body=body,
    )
    return Page(body=page, status=status)


def notice(title: str, text: str, *, status: int = 200, link: Html = NOTHING) -> Page:
    """A page that says one thing."""
    return document(title, fill("notice.html", title=title, text=text, link=link), status=status)


def link_to(address: str, text: str) -> Html:
    return fill("link.html", address=address, text=text)


def money(amount: int, currency: str) -> str:
    """Write minor units for people: 123450, "usd" -> "$1,234.50"."""
    value = from_minor_units(abs(amount), currency.upper())
    figures = f"{value:,.{minor_exponent(currency.upper())}f}"
    symbol = SYMBOLS.get(currency, f"{currency.upper()} ")
    return f"{'-' if amount < 0 else ''}{symbol}{figures}"


def date_text(seconds: int) -> str:
    """Write a day (UTC): "21 December 2026"."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment.day} {moment:%B %Y}"


def time_text(seconds: int) -> str:
    """Write a moment (UTC) to the second."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


@cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@cache
def _template(name: str) -> Template:
    return Template(_text(name))


@cache
def _script_hash() -> str:
    return f"sha256-{b64encode(sha256(_text('script.js').encode()).digest()).decode()}"
