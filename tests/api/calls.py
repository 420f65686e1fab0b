"""Calling the API as a program does."""

import json
from typing import Any

from django.http import HttpResponseBase
from django.test import Client

from tests.make import Key

Answer = HttpResponseBase


def call(method: str, path: str, key: Key | None = None, body: Any = None, **headers: str) -> Any:
    """The answer to a request; a body that is not bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    auth = key.header if key is not None else {}
    content_type = headers.pop("content_type", "application/json")
    client = Client(raise_request_exception=False)
    return client.generic(method, path, data, content_type=content_type, headers=auth | headers)


def get(path: str, key: Key | None = None, **headers: str) -> Any:
    return call("GET", path, key, **headers)


def refusal(response: Any) -> tuple[int, str]:
    """Status and code of a refusal, which is a whole problem in the form of RFC 9457."""
    assert response.headers["Content-Type"] == "application/problem+json", response.content[:500]
    body = response.json()
    assert body["type"] == f"urn:quaestor:problem:{body['code']}"
    assert body["status"] == response.status_code
    assert body["title"]
    assert body["detail"]
    return response.status_code, body["code"]


def field_codes(response: Any) -> dict[str, str]:
    """What was wrong with which field."""
    assert refusal(response) == (400, "invalid-request")
    return {error["field"]: error["code"] for error in response.json()["errors"]}
