"""The API document's operations: which one a request is, what it may send, what it must be answered."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sandbox.stripe.coercion import Coerce, compile_request
from sandbox.stripe.conformance import Check, compile_answer
from sandbox.stripe.routing import PathTable
from sandbox.stripe.specification import document
from sandbox.stripe.values import Json

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Operation:
    method: str
    template: str
    coerce: Coerce
    check_answer: Check
    check_error: Check

    def decoded(self, parameters: Json) -> Json:
        """The parameters in the schema's types; the API's 400 for what breaks the schema."""
        coerced: Json = self.coerce(parameters, "")
        return coerced


def find_operation(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation that the document has for a request, and the path's arguments."""
    found = _paths().find(path)
    if found is None or method.lower() not in document()["paths"][found[0]]:
        return None
    return operation(method, found[0]), found[1]


@cache
def operation(method: str, template: str) -> Operation:
    described = document()["paths"][template][method.lower()]
    answers = described["responses"]
    return Operation(
        method,
        template,
        compile_request(_request_schema(described)),
        compile_answer(_json_schema(answers["200"])),
        compile_answer(_json_schema(answers["default"])),
    )


@cache
def _paths() -> PathTable:
    return PathTable(list(document()["paths"]))


def _request_schema(described: Json) -> Json:
    """One schema for everything that a request may carry beside its path."""
    content = described.get("requestBody", {}).get("content", {})
    body: Json = content.get(FORM, {}).get("schema", {})
    query = [item for item in described.get("parameters", []) if item["in"] == "query"]
    properties: dict[str, Any] = {item["name"]: item["schema"] for item in query} | body.get("properties", {})
    required = [item["name"] for item in query if item.get("required")] + body.get("required", [])
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _json_schema(answer: Json) -> Json:
    schema: Json = answer["content"]["application/json"]["schema"]
    return schema
