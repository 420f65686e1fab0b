"""`expand`: ids are replaced by what they name, and parts that are left out unless asked for are added."""

from collections.abc import Callable
from typing import Any

from sandbox.stripe.errors import invalid
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

MOST_LEVELS = 4
Include = Callable[[State, Json], Any]
INCLUDABLES: dict[tuple[str, str], Include] = {}


def includable(kind: str, name: str) -> Callable[[Include], Include]:
    """Register the maker of a field that an object of this kind only has on request."""

    def register(function: Include) -> Include:
        INCLUDABLES[kind, name] = function
        return function

    return register


def expand(state: State, answer: Json, paths: list[str]) -> None:
    """Change the answer as the paths ask, e.g. "data.customer"; 400 for one that cannot be expanded."""
    for path in paths:
        parts = path.split(".")
        if len(parts) - (parts[0] == "data") > MOST_LEVELS:
            raise invalid(f"You cannot expand more than {MOST_LEVELS} levels of a property: {path}", "expand")
        _expand(state, answer, parts, path)


def _expand(state: State, value: Any, parts: list[str], path: str) -> None:
    if isinstance(value, list):
        for item in value:
            _expand(state, item, parts, path)
    elif isinstance(value, dict) and parts:
        name = parts[0]
        if name not in value:
            _include(state, value, name, path)
        elif isinstance(value[name], str):
            value[name] = _named(state, value[name], path)
        elif isinstance(value[name], list):
            value[name] = [_named(state, item, path) if isinstance(item, str) else item for item in value[name]]
        _expand(state, value[name], parts[1:], path)


def _include(state: State, value: Json, name: str, path: str) -> None:
    include = INCLUDABLES.get((value.get("object", ""), name))
    if include is None:
        raise _not_expandable(path)
    value[name] = include(state, value)


def _named(state: State, object_id: str, path: str) -> Json:
    found = state.store.find_any(object_id)
    if found is None:
        raise _not_expandable(path)
    return found


def _not_expandable(path: str) -> Exception:
    return invalid(f"This property cannot be expanded ({path}).", "expand")
