"""The pages of the mailbox. A mail's HTML is not ours: its frame may neither run nor load anything."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from sandbox.mail.store import Mail, Store

FOLDER = Path(__file__).parent / "pages"
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
# Links of a mail open in a tab of their own, which is free again.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_ROUTE = re.compile(r"/mails/(\d{1,9})(?:/(html|text|source|attachments/(\d{1,3})))?")


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def answer(store: Store, method: str, path: str) -> Answer:
    """Serve one request: a page, a mail's part, or what programs ask."""
    if path == "/_sandbox/reset" and method == "POST":
        store.clear()
        return _json({"ok": True})
    if method not in {"GET", "HEAD"}:
        return _text("This address is for reading.", status=405)
    fixed: dict[str, Callable[[], Answer]] = {
        "/": lambda: _page("Mailbox", _list(store)),
        "/_sandbox/health": lambda: _json({"ok": True}),
        "/_sandbox/mails": lambda: _json({"mails": [_facts(mail) for mail in store.all()]}),
    }
    if path in fixed:
        return fixed[path]()
    found = _ROUTE.fullmatch(path)
    mail = store.find(int(found[1])) if found else None
    if found is None or mail is None:
        return _page("Not here", _fill("missing.html"), status=404)
    return _mail(mail, found[2] or "", found[3])


def _mail(mail: Mail, part: str, number: str | None) -> Answer:
    if part == "html":
        return _html(_with_open_links(mail.html), _MAIL_POLICY)
    if number is not None:
        return _attachment(mail, int(number))
    view = part or ("html" if mail.html else "text")
    shown = {"text": mail.text, "source": mail.source}
    body = _fill("frame.html", id=str(mail.id)) if view == "html" else _fill("text.html", text=shown[view])
    files = (
        _fill("file.html", id=str(mail.id), number=str(at), name=file.name, size=f"{len(file.content):,}")
        for at, file in enumerate(mail.attachments)
    )
    page = _fill(
        "mail.html",
        subject=mail.subject,
        sender=mail.sender,
        to=mail.to,
        at=f"{mail.arrived_at:%d %B %Y, %H:%M:%S} UTC",
        tabs=_joined(_tab(mail, name, view) for name in ("html", "text", "source")),
        files=_joined(files),
        body=body,
    )
    return _page(mail.subject, page)


def _list(store: Store) -> "_Html":
    rows = [
        _fill(
            "row.html",
            id=str(mail.id),
            subject=mail.subject,
            to=", ".join(mail.envelope.recipients),
            start=" ".join(mail.text.split())[:140],
            at=f"{mail.arrived_at:%d %b, %H:%M}",
        )
        for mail in store.all()
    ]
    return _fill("list.html", rows=_joined(rows)) if rows else _fill("empty.html")


def _tab(mail: Mail, name: str, present: str) -> "_Html":
    if name == "html" and not mail.html:
        return _Html("")
    address = f"/mails/{mail.id}" if name == "html" else f"/mails/{mail.id}/{name}"
    current = _Html(' aria-current="page"') if name == present else _Html("")
    return _fill("tab.html", address=address, name=name.upper() if name == "html" else name.title(), current=current)


def _facts(mail: Mail) -> dict[str, object]:
    return {
        "id": mail.id,
        "from": mail.envelope.sender,
        "to": list(mail.envelope.recipients),
        "at": mail.envelope.arrived_at,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "attachments": [file.name for file in mail.attachments],
    }


def _attachment(mail: Mail, number: int) -> Answer:
    if number >= len(mail.attachments):
        return _page("Not here", _fill("missing.html"), status=404)
    file = mail.attachments[number]
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
    }
    return Answer(200, file.content, headers | _SAFE)


def _with_open_links(html: str) -> str:
    """A click inside of the frame opens a tab."""
    base = '<base target="_blank">'
    opened, times = re.subn(r"(?i)(<head[^>]*>)", lambda found: found[1] + base, html, count=1)
    return opened if times else base + html


_SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


def _html(body: str, policy: str, *, status: int = 200) -> Answer:
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy}
    return Answer(status, body.encode(errors="replace"), headers | _SAFE)


def _page(title: str, body: "_Html", *, status: int = 200) -> Answer:
    page = _fill("page.html", title=title, style=_Html(_file("style.css")), body=body)
    return _html(page, _PAGE_POLICY, status=status)


def _json(body: object) -> Answer:
    return Answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"} | _SAFE)


def _text(body: str, *, status: int) -> Answer:
    return Answer(status, body.encode(), {"Content-Type": "text/plain; charset=utf-8"} | _SAFE)


class _Html(str):
    """Text that is markup already."""

    __slots__ = ()


def _fill(template: str, **values: str) -> _Html:
    safe = {name: value if isinstance(value, _Html) else escape(value) for name, value in values.items()}
    return _Html(Template(_file(template)).substitute(safe))


def _joined(parts: Iterable[_Html]) -> _Html:
    return _Html("".join(parts))


@cache
def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
