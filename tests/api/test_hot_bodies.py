"""What the hot endpoints refuse that msgspec would let through: a key that stands twice."""

import gzip
import json
from typing import Any

import pytest

from billing.runtime.models import Authorization
from billing.usage.models import UsageEvent
from tests.api.calls import call, refusal
from tests.api.endpoints import EVENT, OPENAI_KEY, RUN
from tests.make import Customer, make_customer


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer(balance="10")


def with_tail(body: dict[str, Any], tail: str) -> bytes:
    return f"{json.dumps(body)[:-1]}, {tail}}}".encode()


@pytest.mark.parametrize(
    "tail",
    [
        '"workspace": "main"',
        '"input_tokens" : 5',
        '"input_tokens"\n\t:5',
        r'"workspac\u0065": "main"',
        r'"session": "\":", "session": "s"',
    ],
)
def test_repeated_key_of_a_run(customer: Customer, tail: str) -> None:
    """F3: a body that says two things is refused, however it is spelled, and nothing is held."""
    response = call("POST", "/v1/runtime/authorizations", customer.key, with_tail(RUN, tail))
    assert refusal(response) == (400, "invalid-json")
    assert "twice" in response.json()["detail"]
    assert not Authorization.objects.exists()


@pytest.mark.parametrize("path", ["/v1/runtime/authorizations", "/v1/usage/events"])
def test_compressed_body(customer: Customer, path: str) -> None:
    """F3: nothing is unpacked; 415 says so."""
    response = call("POST", path, customer.key, gzip.compress(b"{}"), Content_Encoding="gzip")
    assert refusal(response) == (415, "unsupported-media-type")
    assert "Content-Encoding" in response.json()["remedy"]


@pytest.mark.parametrize("field", ["office", "agent", "session", "user"])
def test_key_in_a_text_of_a_run(customer: Customer, field: str) -> None:
    """K2: many may read what a run or session is attributed to; nothing is kept, and the answer does not repeat it."""
    text = f"my {OPENAI_KEY[:80]}"
    run = call("POST", "/v1/runtime/authorizations", customer.key, RUN | {field: text})
    session = call("POST", "/v1/sessions", customer.key, {"workspace": "main", field: text})
    for response in (run, session):
        assert refusal(response) == (400, "invalid-request")
        assert OPENAI_KEY[:80] not in response.text
    assert not Authorization.objects.exists()


def test_key_as_an_outcome(customer: Customer) -> None:
    """K2: it is kept with the usage."""
    run = call("POST", "/v1/runtime/authorizations", customer.key, RUN).json()["id"]
    body = {"input_tokens": 1, "output_tokens": 1, "outcome": "sk-0123456789abcdef0123"}
    response = call("POST", f"/v1/runtime/authorizations/{run}/settle", customer.key, body)
    assert refusal(response) == (400, "invalid-request")
    assert "sk-0123" not in response.text


@pytest.mark.parametrize("session", [":", '":', '\\":', ' " : ', "é:", "\\", ""])
def test_what_only_looks_like_a_key(customer: Customer, session: str) -> None:
    """F3: quotes and colons inside of text are text."""
    for body in (json.dumps(RUN | {"session": session}), json.dumps(RUN | {"session": session}, ensure_ascii=False)):
        response = call("POST", "/v1/runtime/authorizations", customer.key, body.encode())
        assert response.status_code == 201, response.content


@pytest.mark.parametrize(
    "body",
    [
        with_tail(EVENT, '"quantity": "2"'),
        b'{"events": [], "events": [%s]}' % json.dumps(EVENT).encode(),
    ],
)
def test_repeated_key_of_an_event(customer: Customer, body: bytes) -> None:
    """F3, U1: neither an event with two quantities nor a body with two lists is taken for what it may not mean."""
    assert refusal(call("POST", "/v1/usage/events", customer.key, body)) == (400, "invalid-json")
    assert not UsageEvent.objects.exists()


def test_list_whose_texts_name_it(customer: Customer) -> None:
    """U1: "events" may stand as a text."""
    body = {"events": [EVENT | {"office": "events"}]}
    assert call("POST", "/v1/usage/events", customer.key, body).json()["results"][0]["status"] == "accepted"


def test_deep_nesting_is_no_fault(customer: Customer) -> None:
    """F3: a body that no reader can go through is refused."""
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    for path in ("usage/events", "runtime/authorizations"):
        assert call("POST", f"/v1/{path}", customer.key, deep).status_code in {200, 400}
