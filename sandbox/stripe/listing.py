"""Lists: pages by cursor, filters by creation time."""

from sandbox.stripe.errors import invalid, missing
from sandbox.stripe.routing import Call
from sandbox.stripe.values import Json

DEFAULT_LIMIT = 10
LONGEST_PAGE = 100


def listed(call: Call, items: list[Json], url: str) -> Json:
    """The page that the call asks for, of items given newest first."""
    limit = page_size(call.parameters)
    items = [item for item in items if _is_in_range(item, call.parameters.get("created"))]
    after, before = call.parameters.get("starting_after"), call.parameters.get("ending_before")
    if after and before:
        raise invalid("You can only use one of starting_after and ending_before.", "starting_after")
    if before:
        newer = items[: _position(items, before, "ending_before")]
        return as_list(newer[-limit:], url, has_more=len(newer) > limit)
    start = _position(items, after, "starting_after") + 1 if after else 0
    return as_list(items[start : start + limit], url, has_more=len(items) > start + limit)


def as_list(items: list[Json], url: str, *, has_more: bool = False) -> Json:
    return {"object": "list", "data": items, "has_more": has_more, "url": url}


def page_size(parameters: Json) -> int:
    limit: int = parameters.get("limit", DEFAULT_LIMIT)
    if not 1 <= limit <= LONGEST_PAGE:
        raise invalid(f"Invalid limit: must be between 1 and {LONGEST_PAGE}.", "limit")
    return limit


def _position(items: list[Json], cursor: str, param: str) -> int:
    for position, item in enumerate(items):
        if item["id"] == cursor:
            return position
    raise missing("object", cursor, param)


def _is_in_range(item: Json, wanted: int | Json | None) -> bool:
    if wanted is None:
        return True
    created = item["created"]
    if isinstance(wanted, int):
        return bool(created == wanted)
    lowest = max(wanted.get("gte", created), wanted.get("gt", created - 1) + 1)
    highest = min(wanted.get("lte", created), wanted.get("lt", created + 1) - 1)
    return bool(lowest <= created <= highest)
