"""GET /v1/openapi.json and /v1/docs."""

import json
import re
from typing import Any

import pytest
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from billing.api.views.documents import document
from tests.api.calls import call, get
from tests.api.endpoints import ENDPOINTS, Endpoint
from tests.api.test_isolation import World, make_world


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return dict(json.loads(document()))


@pytest.fixture
def world(catalogue: None, vault: None, providers: None) -> World:
    return make_world()


def operation_of(described: dict[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    names = {
        "{ws}": "{workspace}",
        "{agent}": "{agent_id}",
        "{source}": "{source_id}",
        "{run}": "{authorization_id}",
        "{topup}": "{topup_id}",
        "{invoice}": "{invoice_id}",
        "{credential}": "{credential_id}",
        "{session}": "{session_id}",
        "{webhook}": "{endpoint_id}",
        "{delivery}": "{delivery_id}",
    }
    path = "/v1/" + re.sub(r"\{\w+\}", lambda name: names[name[0]], endpoint.path.partition("?")[0])
    return dict(described["paths"][path][endpoint.method.lower()])


def test_document_is_valid(described: dict[str, Any]) -> None:
    """F3: the document follows OpenAPI's own schema, names the key, and every reference in it leads somewhere."""
    assert described["openapi"] == "3.1.1"
    validate_schema(described)
    assert described["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    for reference in re.findall(r'"#/([^"]+)"', json.dumps(described)):
        part = described
        for step in reference.split("/"):
            part = part[step]


def test_served_as_json(described: dict[str, Any]) -> None:
    """F3: without a key."""
    response = get("/v1/openapi.json")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    assert response.json() == described


def test_operations_have_names_of_their_own(described: dict[str, Any]) -> None:
    """F3: generated clients get one method for each operation."""
    names = [operation["operationId"] for item in described["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_answers_are_as_described(described: dict[str, Any], world: World, endpoint: Endpoint) -> None:
    """F3: each endpoint is described, asks for a key, and answers what the document says."""
    operation = operation_of(described, endpoint)
    assert operation["security"] == [{"apiKey": []}]
    assert {"401", "403", "404"} <= set(operation["responses"])
    response = world.call(endpoint, world.customer.key)
    said = operation["responses"][str(response.status_code)]
    if "$ref" in said:
        said = described["components"]["responses"][said["$ref"].rpartition("/")[2]]
    if response.streaming or endpoint.media_type == "application/pdf":
        assert response.headers["Content-Type"] in said["content"]
    elif response.content:
        content = said["content"][response.headers["Content-Type"]]
        schema = content["schema"] | {"components": described["components"]}
        Draft202012Validator(schema).validate(response.json())
    else:
        assert "content" not in said


def test_refusals_are_as_described(described: dict[str, Any], world: World) -> None:
    """F3: a problem with all its members fits the schema of problems."""
    schema = {"$ref": "#/components/schemas/ProblemAnswer", "components": described["components"]}
    for body in ({"name": 5, "x": 1}, b"{", None):
        response = call("POST", "/v1/workspaces/main/agents", world.customer.key, body)
        Draft202012Validator(schema).validate(response.json())


def test_docs_page() -> None:
    """F3: the browsable docs are a page of our own files, whose script is no part of it."""
    page = get("/v1/docs", Accept="text/html")
    assert page.status_code == 200
    html = page.content.decode()
    assert "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle" in html
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", html)
    assert not re.search(r"(?:src|href)=\"https?://", html)
    script = get("/v1/docs?script=", Accept="*/*")
    assert "/v1/openapi.json" in script.content.decode()
