"""The OpenAPI document: drf-spectacular reads the views, and this adds what it cannot see.

The hot endpoints are plain Django views; their part is made from the structs that validate their bodies, so that it
cannot say anything else than they do.
"""

from collections.abc import Iterator

from billing.api.describe import Schema, schemas_of
from billing.api.hot_operations import HOT_OPERATIONS, HOT_STRUCTS
from billing.api.problem_schema import PROBLEM_RESPONSES, ProblemAnswer, responses_of

_METHODS = ("get", "post", "put", "patch", "delete")


def add_problem_responses(result: Schema, generator: object, request: object, public: bool) -> Schema:
    """Add the hot endpoints, and to every operation the problems that it can answer; drf-spectacular's hook."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas_of(ProblemAnswer, *HOT_STRUCTS))
    components["schemas"] = dict(sorted(components["schemas"].items()))
    components.setdefault("responses", {}).update(PROBLEM_RESPONSES)
    for path, method, operation in HOT_OPERATIONS:
        result["paths"].setdefault(path, {})[method] = operation
    result["paths"] = dict(sorted(result["paths"].items()))
    for method, operation in _operations(result):
        operation["responses"] |= responses_of(operation, method)
    return result


def _operations(document: Schema) -> Iterator[tuple[str, Schema]]:
    for item in document["paths"].values():
        yield from ((method, item[method]) for method in _METHODS if method in item)
