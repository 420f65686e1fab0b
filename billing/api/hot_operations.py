"""The hot endpoints' part of the OpenAPI document."""

from typing import Any

import msgspec

from billing.runtime.requests import (
    AuthorizationAnswer,
    AuthorizationRequest,
    CredentialAnswer,
    SettlementAnswer,
    SettlementRequest,
    VoidAnswer,
)
from billing.usage.inputs import EventInput, EventResult


class EventList(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Several events in one call, a thousand at most."""

    events: list[EventInput]


class EventResults(msgspec.Struct, frozen=True):
    """What became of each event, in the order given."""

    results: list[EventResult]


HOT_STRUCTS = (
    AuthorizationAnswer,
    AuthorizationRequest,
    CredentialAnswer,
    EventInput,
    EventList,
    EventResults,
    SettlementAnswer,
    SettlementRequest,
    VoidAnswer,
)


def _reference(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{struct.__name__}"}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _operation(
    name: str,
    *,
    tag: str,
    summary: str,
    answer: type[msgspec.Struct],
    body: dict[str, Any] | None,
    status: int = 200,
    path_id: bool = False,
) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": name, "tags": [tag], "summary": summary, "security": [{"apiKey": []}]}
    if path_id:
        operation["parameters"] = [
            {"name": "authorization_id", "in": "path", "required": True, "schema": {"type": "string"}}
        ]
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _json(body)}
    operation["responses"] = {str(status): {"description": "", "content": _json(_reference(answer))}}
    if path_id:  # closed already, whatever the body
        operation["responses"]["409"] = {"$ref": "#/components/responses/Problem409"}
    return operation


_RUN = "/v1/runtime/authorizations"

HOT_OPERATIONS = (
    (
        "/v1/usage/events",
        "post",
        _operation(
            "record_usage_events",
            tag="Usage",
            summary="Record one event or up to a thousand",
            answer=EventResults,
            body={"anyOf": [_reference(EventInput), _reference(EventList)]},
        ),
    ),
    (
        _RUN,
        "post",
        _operation(
            "authorize_run",
            tag="Runtime",
            summary="Decide about a run and hold its cost",
            answer=AuthorizationAnswer,
            body=_reference(AuthorizationRequest),
            status=201,
        ),
    ),
    (
        f"{_RUN}/{{authorization_id}}/credential",
        "post",
        _operation(
            "hand_out_credential",
            tag="Runtime",
            summary="The provider's key for a run, for the platform's own runtime",
            answer=CredentialAnswer,
            body=None,
            path_id=True,
        ),
    ),
    (
        f"{_RUN}/{{authorization_id}}/settle",
        "post",
        _operation(
            "settle_run",
            tag="Runtime",
            summary="Close a run with its real figures",
            answer=SettlementAnswer,
            body=_reference(SettlementRequest),
            path_id=True,
        ),
    ),
    (
        f"{_RUN}/{{authorization_id}}/void",
        "post",
        _operation(
            "void_run",
            tag="Runtime",
            summary="Close a run that did not happen",
            answer=VoidAnswer,
            body=None,
            path_id=True,
        ),
    ),
)
