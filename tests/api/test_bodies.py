"""What StrictJSONParser refuses, by way of an endpoint that takes a body."""

import gzip
from typing import IO, cast

import pytest

from billing.api.parsers import StrictJSONParser
from billing.core.problems import Problem
from tenants.models import Agent
from tests.api.calls import call, refusal
from tests.make import make_customer

PATH = "/v1/workspaces/main/agents"
NAME = b'{"name": "Ada"}'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid-json"),
        (b"hello", "invalid-json"),
        (b'{"name": "Ada",}', "invalid-json"),
        (b'{"name": NaN}', "invalid-json"),
        (b'{"name": -Infinity}', "invalid-json"),
        (b'{"name": 1e99999999999999999999}', "invalid-json"),
        (b'{"name": ' + b"9" * 5000 + b"}", "invalid-json"),
        (b'{"name": "Ada", "name": "Bob"}', "invalid-json"),
        (b'{"name": {"a": 1, "a": 2}}', "invalid-json"),
        (b'{"name": "\xff"}', "invalid-json"),
        ('{"name": "Ada"}'.encode("utf-16"), "invalid-json"),
        (b"[" * 100_000, "invalid-json"),
        (b'{"a":' * 100_000, "invalid-json"),
        (b"[]", "invalid-request"),
        (b"null", "invalid-request"),
        (b"5", "invalid-request"),
        (b'"name"', "invalid-request"),
        (b"[" * 500 + b"]" * 500, "invalid-request"),
    ],
)
def test_not_an_object_of_json(body: bytes, code: str) -> None:
    """F3: a body that is no JSON object is 400 with a code, never 500, and nothing is written."""
    assert refusal(call("POST", PATH, make_customer().key, body)) == (400, code)
    assert not Agent.objects.exists()


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", ""],
)
def test_other_media_types(content_type: str) -> None:
    """F3: a body that does not say that it is JSON is 415, with the remedy."""
    response = call("POST", PATH, make_customer().key, NAME, content_type=content_type)
    assert refusal(response) == (415, "unsupported-media-type")
    assert "application/json" in response.json()["remedy"]


@pytest.mark.parametrize(("charset", "status"), [("utf-8", 201), ("UTF-8", 201), ("latin-1", 415), ("utf-16", 415)])
def test_charsets(charset: str, status: int) -> None:
    """F3: JSON is UTF-8."""
    content_type = f"application/json; charset={charset}"
    assert call("POST", PATH, make_customer().key, NAME, content_type=content_type).status_code == status


def test_compressed_body() -> None:
    """F3: nothing is unpacked; 415 says so, and that a body that is told to be as it is will do."""
    key, packed = make_customer().key, gzip.compress(NAME)
    response = call("POST", PATH, key, packed, Content_Encoding="gzip")
    assert refusal(response) == (415, "unsupported-media-type")
    assert "Content-Encoding" in response.json()["remedy"]
    assert call("POST", PATH, key, NAME, Content_Encoding="identity").status_code == 201


def test_large_body() -> None:
    """F3: a body over the limit is 413, and nothing of it is written."""
    response = call("POST", PATH, make_customer().key, b'{"name": "' + b"a" * 2_097_152 + b'"}')
    assert refusal(response) == (413, "body-too-large")


def test_large_body_of_unknown_length() -> None:
    """F3: the limit holds for a body that announced no length."""

    class Endless:
        def read(self, size: int) -> bytes:
            return b" " * size

    with pytest.raises(Problem) as caught:
        StrictJSONParser().parse(cast("IO[bytes]", Endless()))
    assert (caught.value.status, caught.value.code) == (413, "body-too-large")


def test_names_of_strangers_are_cut() -> None:
    """F3: at most twenty unknown fields come back, each by the beginning of its name."""
    body = {f"{n:03}" + "x" * 100_000: 1 for n in range(3)} | {f"z{n}": 1 for n in range(40)}
    response = call("POST", PATH, make_customer().key, body)
    fields = [error["field"] for error in response.json()["errors"]]
    assert (response.status_code, len(fields), max(map(len, fields))) == (400, 21, 60)
