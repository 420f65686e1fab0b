"""How a view's method says what it takes and answers: read by drf-spectacular, nowhere else.

Answers are structs, whose JSON Schema is msgspec's own.
"""

from collections.abc import Callable, Sequence
from inspect import cleandoc
from typing import Any, TypeVar

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema

from billing.api.serializers import Body, Changes, Query

Method = TypeVar("Method", bound=Callable[..., object])
Schema = dict[str, Any]
_REFERENCE = "#/components/schemas/{name}"


def describe(
    name: str,
    *,
    tag: str,
    summary: str,
    answer: type[msgspec.Struct] | None,
    status: int = 200,
    also: int | None = None,
    body: type[Body] | PolymorphicProxySerializer | None = None,
    query: type[Query] | None = None,
    headers: Sequence[OpenApiParameter] = (),
) -> Callable[[Method], Method]:
    """Describe an operation; its docstring is the longer description. Without an answer the status is 204.

    `also` is a second status with the same answer.
    """
    return extend_schema(
        operation_id=name,
        tags=[tag],
        summary=summary,
        request=body,
        parameters=[*([] if query is None else [query]), *headers],
        responses={204: None} if answer is None else dict.fromkeys({status, also} - {None}, answer),
    )


def schemas_of(*structs: type[msgspec.Struct]) -> dict[str, Schema]:
    """The schemas of structs, and of those inside of them, by name."""
    _, components = msgspec.json.schema_components(structs, ref_template=_REFERENCE)
    return {
        name: schema | {"description": cleandoc(schema.get("description", ""))} for name, schema in components.items()
    }


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the document names the API key."""

    target_class = "billing.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> Schema:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "qk_…"}


class StructSchema(OpenApiSerializerExtension):
    """A struct as the answer of an operation."""

    target_class = "msgspec.Struct"
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: str) -> str:
        return str(self.target.__name__)

    def get_identity(self, auto_schema: AutoSchema, direction: str) -> str:
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> Schema:
        components = schemas_of(self.target)
        own = components.pop(self.target.__name__)
        for name, schema in components.items():
            component = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, object=name, schema=schema)
            auto_schema.registry.register_on_missing(component)
        return own


class StrictBodySchema(OpenApiSerializerExtension):
    """A body that refuses unknown fields says so."""

    target_class = "billing.api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> Schema:
        schema: Schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        least = {"minProperties": 1} if isinstance(self.target, Changes) else {}
        return schema | least | {"additionalProperties": False}
