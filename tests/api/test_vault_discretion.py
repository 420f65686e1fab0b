"""Requests to /v1/vault with the key where it does not belong: no answer and no log line repeats it (K2)."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.providers.process import ProvidersSandbox
from tests.api.calls import call, get, refusal
from tests.make import Customer, make_customer
from vault.models import Credential

PATH = "/v1/vault/credentials"
# Forms that a pattern knows by their beginning, and one that looks like any id.
FORMS = ["anthropic", "assemblyai", "twilio"]
pytestmark = pytest.mark.usefixtures("vault", "providers")


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer()


@pytest.fixture(params=FORMS)
def plain(request: pytest.FixtureRequest, providers: ProvidersSandbox) -> str:
    return providers.key(request.param)


def bodies(key: str) -> list[Any]:
    """Bodies that are refused, with the key in each."""
    valid = {"provider": "openai", "api_key": key}
    text = json.dumps(valid).encode()
    return [
        text[:-1],
        text + b"}",
        text.replace(b"api_key", b"api_key\\x"),
        b'{"api_key": ' + key.encode() + b"}",
        b'{"api_key": "' + key.encode() + b'\xff"}',
        b'{"' + key.encode() + b'": 1, "' + key.encode() + b'": 2}',
        [key],
        key,
        {key: 1},
        valid | {key: key},
        valid | {"provider": key},
        valid | {"provider": [key]},
        valid | {"provider": {key: key}},
        valid | {"api_key": {key: key}},
        valid | {"api_key": [key]},
        valid | {"api_key": f"{key} {key}"},
        valid | {"key": key},
        valid | {"name": key},
        valid | {"name": {key: key}},
        valid | {"base_url": f"https://{key}@example.com"},
        valid | {"base_url": f"https://example.com/?key={key}"},
        valid | {"expires_at": key},
    ]


def test_bodies(customer: Customer, plain: str, caplog: pytest.LogCaptureFixture) -> None:
    """K2: malformed JSON, unknown fields called like the key, wrong types, wrong fields: 4xx without a word of it."""
    for body in bodies(plain):
        response = call("POST", PATH, customer.key, body)
        assert 400 <= response.status_code < 500, body
        assert plain[-12:] not in response.text
        assert plain[:12] not in response.text
    assert not Credential.objects.exists()
    assert plain not in caplog.text


def test_other_endpoints(customer: Customer, plain: str) -> None:
    """K2: the same of changes, assignments and policies."""
    for method, path, body in (
        ("PUT", "/v1/vault/assignments", {"scope": plain, "provider": plain, "credential": plain}),
        ("PUT", "/v1/vault/assignments", {"scope": "tenant", "provider": "openai", "credential": plain}),
        ("PUT", "/v1/vault/assignments", {"assignments": [plain]}),
        ("PUT", "/v1/vault/assignments", {"assignments": [{plain: plain}]}),
        ("PUT", "/v1/vault/policy", {"fallback": plain}),
        ("PATCH", f"{PATH}/{plain}", {"disabled": True}),
        ("GET", f"/v1/vault/accesses?credential={quote(plain)}", None),
        ("GET", f"{PATH}?cursor={quote(plain)}", None),
        ("GET", f"{PATH}?limit={quote(plain)}", None),
        ("DELETE", f"{PATH}/{plain}", None),
    ):
        response = call(method, path, customer.key, body)
        assert 400 <= response.status_code < 500, path
        assert plain[-12:] not in response.text


@pytest.mark.parametrize("query", ["api_key={}", "key={}", "{}", "{}=1", "{0}=1&{0}=2", "x=1&x={}"])
def test_query_string(customer: Customer, plain: str, query: str, caplog: pytest.LogCaptureFixture) -> None:
    """`key_in_query_string_in_a_traceback`: it is refused before anything is done, and neither answered nor logged."""
    path = f"{PATH}?{query.format(quote(plain))}"
    for method, body in (("POST", {"provider": "openai"}), ("GET", None)):
        response = call(method, path, customer.key, body)
        assert refusal(response) == (400, "invalid-request")
        assert plain[-12:] not in response.text
    assert refusal(call("POST", path, None, {"provider": "openai"}))[0] == 401
    assert "POST /v1/vault/credentials" in caplog.text
    assert plain not in caplog.text
    assert quote(plain) not in caplog.text
    assert not Credential.objects.exists()


def test_our_own_fault(
    customer: Customer, plain: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """K2: a 500 in the middle of adding a key is a problem without a word of what it was, in the log as well."""

    def broken(**given: Any) -> None:
        raise RuntimeError(f"cannot store {given['plain'].reveal()}")

    monkeypatch.setattr("billing.api.views.vault.credentials.add_credential", broken)
    response = call("POST", PATH, customer.key, {"provider": "openai", "api_key": plain})
    assert refusal(response) == (500, "internal-error")
    assert plain not in response.text + caplog.text
    assert "cannot store [redacted]" in caplog.text


def test_a_field_of_ours_is_named(customer: Customer) -> None:
    """F3: what looks like a field's name is repeated, so that people find it; nothing else is."""
    response = call("POST", PATH, customer.key, {"provider": "openai", "api_key": "a" * 20, "org_id": 1, "aB1": 1})
    assert [error["field"] for error in response.json()["errors"]] == ["(not shown)", "org_id"]
    assert get(f"{PATH}?page=2", customer.key).json()["errors"][0]["field"] == "page"
