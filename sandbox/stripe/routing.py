"""Which function answers which request."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.stripe.state import State
from sandbox.stripe.values import Json


@dataclass
class Call:
    """One request, validated and decoded."""

    method: str
    path: str
    arguments: dict[str, str]  # of the path, named as in the API document's template
    parameters: Json  # coerced by the schema
    state: State
    account: str | None = None  # the Stripe-Account header
    headers: dict[str, str] = field(default_factory=dict)  # with names in lower case


@dataclass(frozen=True)
class Page:
    """An HTML page, or with `location` a redirect to it."""

    body: str = ""
    status: int = 200
    location: str | None = None


Handler = Callable[[Call], Json]
PageHandler = Callable[[Call], Page]
Segments = tuple[str, ...]

API: dict[tuple[str, str], Handler] = {}
CONTROLS: dict[tuple[str, str], Handler] = {}
PAGES: dict[tuple[str, str], PageHandler] = {}


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Serve an operation of the API; the path is written exactly as in the API document."""

    def register(handler: Handler) -> Handler:
        if (method, path) in API:
            raise ValueError(f"{method} {path} is served twice.")
        API[method, path] = handler
        return handler

    return register


def control(method: str, path: str) -> Callable[[Handler], Handler]:
    """Serve JSON beside the API, under /_sandbox/: no key, no contract, and no transaction around it."""

    def register(handler: Handler) -> Handler:
        CONTROLS[method, path] = handler
        return handler

    return register


def page(method: str, path: str) -> Callable[[PageHandler], PageHandler]:
    """Serve a page for people, inside a transaction; parameters are the decoded query and form, all strings."""

    def register(handler: PageHandler) -> PageHandler:
        PAGES[method, path] = handler
        return handler

    return register


class PathTable:
    """Finds the template that a path fits; a literal part wins over an argument."""

    def __init__(self, templates: list[str]) -> None:
        self._root: Json = {}
        for template in templates:
            node = self._root
            for part in _parts(template):
                node = node.setdefault("{}" if part.startswith("{") else part, {})
            node[""] = template

    def find(self, path: str) -> tuple[str, dict[str, str]] | None:
        """The template and its arguments."""
        parts = _parts(path)
        template = _descend(self._root, parts)
        if template is None:
            return None
        names = _parts(template)
        pairs = zip(names, parts, strict=True)
        return template, {name[1:-1]: part for name, part in pairs if name.startswith("{")}


def _parts(path: str) -> Segments:
    return tuple(path.strip("/").split("/")) if path.strip("/") else ()


def _descend(node: Json, parts: Segments) -> str | None:
    if not parts:
        template: str | None = node.get("")
        return template
    for key in (parts[0], "{}"):
        if parts[0] and key in node and (found := _descend(node[key], parts[1:])):
            return found
    return None
