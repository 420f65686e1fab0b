"""What an object of the API is here, and the small rules that every resource shares."""

from collections.abc import Iterable
from typing import Any

from sandbox.stripe.errors import invalid

Json = dict[str, Any]

METADATA_KEYS = 50
METADATA_KEY_LENGTH = 40
METADATA_VALUE_LENGTH = 500


def public(value: Any) -> Any:
    """A copy without the private fields, whose names begin with an underscore."""
    if isinstance(value, dict):
        return {key: public(item) for key, item in value.items() if not key.startswith("_")}
    if isinstance(value, list):
        return [public(item) for item in value]
    return value


def merged_metadata(old: Json, new: Json | str | None) -> Json:
    """The pairs after an update: an empty value removes its key, an empty string removes all, None changes nothing."""
    if new is None:
        return dict(old)
    if isinstance(new, str):
        return {}
    for key, value in new.items():
        _check_pair(key, str(value))
    merged = {key: str(value) for key, value in (old | new).items() if value != ""}
    if len(merged) > METADATA_KEYS:
        raise invalid(f"You can only set up to {METADATA_KEYS} metadata keys.", "metadata")
    return merged


def _check_pair(key: str, value: str) -> None:
    if len(key) > METADATA_KEY_LENGTH:
        raise invalid(f"Metadata keys have at most {METADATA_KEY_LENGTH} characters: {key}", "metadata")
    if len(value) > METADATA_VALUE_LENGTH:
        raise invalid(f"Metadata values have at most {METADATA_VALUE_LENGTH} characters: {key}", f"metadata[{key}]")


def apply(obj: Json, parameters: Json, names: Iterable[str]) -> None:
    """Set the named fields that were sent; an empty string unsets."""
    for name in names:
        if name in parameters:
            obj[name] = parameters[name] if parameters[name] != "" else None


def changed(before: Json, after: Json) -> Json:
    """An event's previous_attributes: the old values of what differs, nested objects only where they differ."""
    previous: Json = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new or key.startswith("_"):
            continue
        previous[key] = changed(old, new) if isinstance(old, dict) and isinstance(new, dict) else old
    return previous
