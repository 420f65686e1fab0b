"""Problem details in the OpenAPI document: one schema, and which statuses an operation can refuse with."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

_HEADERS = {
    "Retry-After": {"description": "Seconds after which it can help to try again.", "schema": {"type": "integer"}}
}
_MEANINGS = {
    "400": "The request is not valid.",
    "401": "There is no valid API key.",
    "402": "The plan, the credits or a cap do not allow it.",
    "403": "The API key lacks a scope.",
    "404": "There is no such object, or it is somebody else's.",
    "405": "The method is not one of this address.",
    "406": "Only application/json is on offer.",
    "409": "It contradicts what is there.",
    "413": "The body is too large.",
    "415": "The body is not application/json.",
    "422": "What it names cannot be rated.",
    "429": "Too many requests, or the limit of a plan that slows down.",
    "503": "Try again later.",
}


class FieldErrorAnswer(msgspec.Struct, frozen=True):
    """What is wrong with one field."""

    field: str
    code: str
    detail: str


class ProblemAnswer(msgspec.Struct, frozen=True):
    """Problem details by RFC 9457. `code` never changes its meaning."""

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    code: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
    limit_source: Annotated[str, Meta(description="What set the limit.")] | UnsetType = UNSET
    remedy: Annotated[str, Meta(description="What would help.")] | UnsetType = UNSET
    errors: list[FieldErrorAnswer] | UnsetType = UNSET


def _response(status: str, meaning: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}}
    headers = {"headers": _HEADERS} if status in {"409", "429", "503"} else {}
    return {"description": meaning, **headers, "content": content}


PROBLEM_RESPONSES = {f"Problem{status}": _response(status, meaning) for status, meaning in _MEANINGS.items()}


def responses_of(operation: dict[str, Any], method: str) -> dict[str, Any]:
    """The problems that an operation can answer, by status, as references."""
    statuses = ["400", "405", "406", "503"]
    if operation.get("security"):
        statuses += ["401", "402", "403", "404", "429"]
    if method != "get":
        statuses.append("409")
    if "requestBody" in operation:
        statuses += ["413", "415", "422"]
    return {status: {"$ref": f"#/components/responses/Problem{status}"} for status in sorted(statuses)}
