"""Checks a request against its schema, and turns its strings into the schema's types.

A schema becomes a function once; a request then costs a few calls. Failures are the API's own 400 bodies.
"""

import re
from collections.abc import Callable
from typing import Any

from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.values import Json

Coerce = Callable[[Any, str], Any]  # the value and its name, e.g. items[0][price]

INTEGER = re.compile(r"-?\d{1,18}")
DECIMAL = re.compile(r"-?\d{1,20}(\.\d{1,12})?")
CURRENCY = re.compile(r"[a-zA-Z]{3}")
BOOLEANS = {"true": True, "false": False}
# Alternatives are tried from the narrowest to the widest, so that "12" is a number where a number may stand.
WIDTH = {"enum": 0, "integer": 1, "number": 1, "boolean": 1, "object": 2, "array": 2, "string": 3}


def compile_request(schema: Json) -> Coerce:
    if "anyOf" in schema:
        return _any_of(schema)
    if "enum" in schema and not schema.get("x-stripeBypassValidation"):
        return _enum(schema["enum"])
    match schema.get("type"):
        case "object":
            return _object(schema)
        case "array":
            return _array(compile_request(schema["items"]))
        case "integer":
            return _integer
        case "number":
            return _number
        case "boolean":
            return _boolean
        case _:
            return _string(schema)


def _any_of(schema: Json) -> Coerce:
    ordered = sorted(schema["anyOf"], key=lambda choice: WIDTH["enum" if "enum" in choice else choice["type"]])
    choices = [compile_request(choice) for choice in ordered]

    def coerce(value: Any, name: str) -> Any:
        failures: list[StripeError] = []
        for choice in choices:
            try:
                return choice(value, name)
            except StripeError as error:
                failures.append(error)
        # The failure that lies deepest belongs to the alternative that was meant.
        raise max(failures, key=lambda error: (len(error.param or ""), error.code == "parameter_invalid_empty"))

    return coerce


def _enum(values: list[Any]) -> Coerce:
    allowed = {str(value).lower() if isinstance(value, bool) else str(value): value for value in values}
    listed = ", ".join(name for name in allowed if name)

    def coerce(value: Any, name: str) -> Any:
        if isinstance(value, str) and value in allowed:
            return allowed[value]
        raise invalid(f"Invalid {name}: must be one of {listed}", name)

    return coerce


def _object(schema: Json) -> Coerce:
    fields = {name: compile_request(field) for name, field in (schema.get("properties") or {}).items()}
    required = schema.get("required", [])
    more = schema.get("additionalProperties")
    others = _pair(more) if isinstance(more, dict) else None
    is_open = not fields and more is None

    def coerce(value: Any, name: str) -> Json:
        if value == "" and not required:
            return {}
        if not isinstance(value, dict):
            raise invalid("Invalid object", name)
        coerced: Json = {}
        for key, item in value.items():
            path = f"{name}[{key}]" if name else key
            check = fields.get(key, others)
            if check is None and not is_open:
                raise invalid(f"Received unknown parameter: {path}", path, "parameter_unknown")
            coerced[key] = check(item, path) if check else item
        for key in required:
            if key not in coerced:
                path = f"{name}[{key}]" if name else key
                raise invalid(f"Missing required param: {path}.", path, "parameter_missing")
        return coerced

    return coerce


def _pair(schema: Json) -> Coerce:
    """A value of a free map; an empty one takes its key away."""
    check = compile_request(schema)
    return lambda value, name: value if value == "" else check(value, name)


def _array(check: Coerce) -> Coerce:
    def coerce(value: Any, name: str) -> list[Any]:
        if not isinstance(value, dict) or not all(key.isdecimal() for key in value):
            raise invalid("Invalid array", name)
        return [check(value[key], f"{name}[{key}]") for key in sorted(value, key=int)]

    return coerce


def _integer(value: Any, name: str) -> int:
    if isinstance(value, str) and INTEGER.fullmatch(value):
        return int(value)
    raise invalid(f"Invalid integer: {value}", name, "parameter_invalid_integer")


def _number(value: Any, name: str) -> float:
    if isinstance(value, str) and DECIMAL.fullmatch(value):
        return float(value)
    raise invalid(f"Invalid number: {value}", name)


def _boolean(value: Any, name: str) -> bool:
    if isinstance(value, str) and value in BOOLEANS:
        return BOOLEANS[value]
    raise invalid(f"Invalid boolean: {value}", name)


def _string(schema: Json) -> Coerce:
    longest = schema.get("maxLength")
    pattern = {"decimal": DECIMAL, "currency": CURRENCY}.get(schema.get("format", ""))

    def coerce(value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise invalid("Invalid string", name)
        if value == "":
            raise invalid(
                f"You passed an empty string for '{name}'. '{name}' cannot be unset.", name, "parameter_invalid_empty"
            )
        if longest is not None and len(value) > longest:
            raise invalid(f"Invalid string: must be at most {longest} characters", name)
        if pattern and not pattern.fullmatch(value):
            raise invalid(f"Invalid {schema['format']}: {value}", name)
        return value

    return coerce
