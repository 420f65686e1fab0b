"""Checks an answer of ours against its schema; what breaks it is a fault of the sandbox, not of the caller."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from sandbox.stripe.specification import document
from sandbox.stripe.values import Json

Check = Callable[[Any, str], None]  # the value and where it stands, e.g. data[0].items

PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "boolean": (bool,),
    "string": (str,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}


class ViolationError(Exception):
    """An answer that the API document does not allow; the message says where and why."""


def compile_answer(schema: Json) -> Check:
    if "$ref" in schema:
        return _reference(schema["$ref"])
    check = _alternatives(schema) if "anyOf" in schema or "oneOf" in schema else _typed(schema)
    if not schema.get("nullable"):
        return check
    return lambda value, place: None if value is None else check(value, place)


def _reference(name: str) -> Check:
    """Components refer to each other in circles, so each is compiled when it is first met."""

    def check(value: Any, place: str) -> None:
        _component(name)(value, place)

    return check


@cache
def _component(name: str) -> Check:
    return compile_answer(document()["components"]["schemas"][name.rsplit("/", 1)[-1]])


def _typed(schema: Json) -> Check:
    kind = schema.get("type")
    if kind is None:
        return lambda _value, _place: None
    python_type = PYTHON_TYPES[kind]
    detail = {"object": _object, "array": _array, "string": _string}.get(kind)
    check_detail = detail(schema) if detail else None
    allowed = None if schema.get("x-stripeBypassValidation") else schema.get("enum")

    def check(value: Any, place: str) -> None:
        if not isinstance(value, python_type) or (isinstance(value, bool) and kind != "boolean"):
            raise ViolationError(f"{place} is {value!r:.80}, which is no {kind}")
        if allowed is not None and value not in allowed:
            raise ViolationError(f"{place} is {value!r}, which is none of {allowed}")
        if check_detail:
            check_detail(value, place)

    return check


def _object(schema: Json) -> Check:
    fields = {name: compile_answer(field) for name, field in (schema.get("properties") or {}).items()}
    required = frozenset(schema.get("required", []))
    more = schema.get("additionalProperties")
    others = compile_answer(more) if isinstance(more, dict) else None
    is_open = others is None and not fields

    def check(value: Json, place: str) -> None:
        for name, item in value.items():
            field = fields.get(name, others)
            if field is not None:
                field(item, f"{place}.{name}")
            elif not is_open:
                raise ViolationError(f"{place}.{name} is unknown to the API document")
        if absent := required - value.keys():
            raise ViolationError(f"{place} lacks {', '.join(sorted(absent))}")

    return check


def _array(schema: Json) -> Check:
    element = compile_answer(schema["items"])

    def check(value: list[Any], place: str) -> None:
        for position, item in enumerate(value):
            element(item, f"{place}[{position}]")

    return check


def _string(schema: Json) -> Check:
    longest = schema.get("maxLength")
    pattern = re.compile(schema["pattern"]) if "pattern" in schema else None

    def check(value: str, place: str) -> None:
        if longest is not None and len(value) > longest:
            raise ViolationError(f"{place} is longer than {longest} characters")
        if pattern and not pattern.search(value):
            raise ViolationError(f"{place} is {value!r}, which does not match {pattern.pattern}")

    return check


def _alternatives(schema: Json) -> Check:
    """One of several; where the answer says what it is (`object`), that one's complaint is the one reported."""
    choices = [(_kind_of(choice), compile_answer(choice)) for choice in schema.get("anyOf") or schema["oneOf"]]

    def check(value: Any, place: str) -> None:
        kind = value.get("object") if isinstance(value, dict) else type(value).__name__
        complaints: list[ViolationError] = []
        for _, choice in sorted(choices, key=lambda pair: pair[0] != kind):
            try:
                choice(value, place)
            except ViolationError as error:
                complaints.append(error)
            else:
                return
        raise complaints[0]

    return check


def _kind_of(schema: Json) -> str | None:
    """What an alternative is for: the `object` it describes, or "str" for an id."""
    if schema.get("type") == "string":
        return "str"
    if "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    kinds = schema.get("properties", {}).get("object", {}).get("enum", [None])
    kind: str | None = kinds[0]
    return kind
