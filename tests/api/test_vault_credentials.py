"""/v1/vault/credentials: adding, showing, changing and revoking keys."""

import hashlib
import json
from typing import Any

import pytest
from pytest_django import Settings

from billing.api.models import KeptAnswer
from sandbox.providers.process import ProvidersSandbox
from tenants.models import AuditEvent
from tests.api.calls import call, field_codes, get, refusal
from tests.make import AT, Customer, make_customer
from tests.vault.make import make_credential
from vault.models import AllowedHost, Credential, CredentialVersion, KeyEncryptionKey

PATH = "/v1/vault/credentials"
pytestmark = pytest.mark.usefixtures("vault")


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer()


def add(
    customer: Customer, key: str, *, provider: str = "openai", headers: dict[str, str] | None = None, **fields: Any
) -> Any:
    body = {"provider": provider, "api_key": key} | fields
    return call("POST", PATH, customer.key, body, **(headers or {}))


def change(customer: Customer, key: dict[str, Any], **fields: Any) -> Any:
    return call("PATCH", f"{PATH}/{key['id']}", customer.key, fields)


def test_add_answers_everything_but_the_key(customer: Customer, providers: ProvidersSandbox) -> None:
    """K2: 201 with the last four; the same is read again later."""
    key = providers.key("openai")
    response = add(customer, key, name="Production", expires_at="2026-06-01T02:00:00+02:00")
    row = Credential.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": f"cred_{row.id.hex}",
        "provider": "openai",
        "kind": "llm",
        "name": "Production",
        "base_url": "",
        "last_four": key[-4:],
        "version": 1,
        "health": "valid",
        "health_reason": "",
        "health_since": "2026-03-10T12:00:00Z",
        "checked_at": "2026-03-10T12:00:00Z",
        "expires_at": "2026-06-01T00:00:00Z",
        "disabled": False,
        "created_at": "2026-03-10T12:00:00Z",
        "previous": None,
    }
    assert get(f"{PATH}/cred_{row.id.hex}", customer.key).json() == response.json()
    assert (row.tenant, row.created_by_id) == (customer.tenant, None)


@pytest.mark.parametrize("spelling", ["api_key", "key", "secret"])
def test_spellings_of_the_key(customer: Customer, providers: ProvidersSandbox, spelling: str) -> None:
    """K2: whichever of the usual words a program says; white space from copying is left behind."""
    body = {"provider": "groq", spelling: f" {providers.key('groq')}\n"}
    answer = call("POST", PATH, customer.key, body).json()
    assert (answer["name"], answer["last_four"]) == ("Groq", providers.key("groq")[-4:])


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({"api_key": "a" * 20, "key": "a" * 20}, {"api_key": "ambiguous"}),
        ({}, {"api_key": "required"}),
        ({"api_key": None}, {"api_key": "null"}),
        ({"api_key": 5}, {"api_key": "invalid"}),
        ({"api_key": ["a" * 20]}, {"api_key": "invalid"}),
        ({"api_key": "two words"}, {"api_key": "invalid"}),
        ({"api_key": "é" * 20}, {"api_key": "invalid"}),
        ({"secret": "a" * 513}, {"secret": "invalid"}),
        ({"api_key": "a" * 20, "name": "n" * 101}, {"name": "max-length"}),
        ({"api_key": "a" * 20, "expires_at": "2026-03-10T11:59:59Z"}, {"expires_at": "invalid"}),
        ({"api_key": "a" * 20, "weight": 5}, {"weight": "unknown-field"}),
    ],
)
def test_refused_bodies(customer: Customer, fields: dict[str, Any], codes: dict[str, str]) -> None:
    """F3, K2: each with the field that is wrong; nothing is sent to the provider."""
    assert field_codes(call("POST", PATH, customer.key, {"provider": "openai"} | fields)) == codes


def test_unknown_provider(customer: Customer) -> None:
    """K3: the refusal lists the providers that there are."""
    response = add(customer, "a" * 20, provider="acme")
    assert field_codes(response) == {"provider": "unknown-provider"}
    assert "anthropic, assemblyai, cartesia" in response.json()["errors"][0]["detail"]


@pytest.mark.parametrize("state", ["invalid", "echo"])
def test_rejected_key_is_not_stored(customer: Customer, providers: ProvidersSandbox, state: str) -> None:
    """K2: 422 in our words, at the field of the key; `provider_error_echoes_the_key` reaches nobody."""
    key = providers.key("anthropic", state)
    response = add(customer, key, provider="anthropic")
    assert refusal(response) == (422, "provider-key-rejected")
    assert [error["field"] for error in response.json()["errors"]] == ["api_key"]
    assert key[-12:] not in response.text
    assert not Credential.objects.exists()


def test_silent_provider(customer: Customer, providers: ProvidersSandbox, settings: Settings) -> None:
    """K2: what cannot be checked is not stored: 503, and when to try again."""
    settings.PROVIDER_TIMEOUT_SECONDS = 1
    providers.fault("timeout", provider="openai")
    response = add(customer, providers.key("openai"))
    assert refusal(response) == (503, "provider-unreachable")
    assert response["Retry-After"] == "5"
    assert not Credential.objects.exists()
    assert add(customer, providers.key("openai")).status_code == 201


@pytest.mark.parametrize("state", ["restricted", "rate_limited"])
def test_known_but_hindered_key_is_stored(customer: Customer, providers: ProvidersSandbox, state: str) -> None:
    """K2, K9: with its health, and why."""
    answer = add(customer, providers.key("openai", state)).json()
    assert answer["health"] == state
    assert answer["health_reason"]


def test_one_key_of_a_name(customer: Customer, providers: ProvidersSandbox) -> None:
    """K2: 409 while the other is there, also when a key is renamed; a revoked one gives its name back."""
    key = providers.key("openai")
    first = add(customer, key, name="Main").json()
    assert refusal(add(customer, key, name="Main")) == (409, "credential-exists")
    other = add(customer, key, name="Other").json()
    assert refusal(change(customer, other, name="Main")) == (409, "credential-exists")
    assert call("DELETE", f"{PATH}/{first['id']}", customer.key).status_code == 204
    assert change(customer, other, name="Main").json()["name"] == "Main"


def test_name_that_looks_like_a_key(customer: Customer, providers: ProvidersSandbox) -> None:
    """K2: pasted into the wrong field it is refused, and not repeated."""
    key = providers.key("assemblyai")
    response = add(customer, key, provider="assemblyai", name=f"mine: {key}")
    assert field_codes(response) == {"name": "invalid"}
    assert key not in response.text
    stored = add(customer, providers.key("openai")).json()
    response = change(customer, stored, name=providers.key("groq"))
    assert field_codes(response) == {"name": "invalid"}
    assert providers.key("groq") not in response.text


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest", "https://[::1]/", "https://127.0.0.1:9/", "file:///etc/passwd"],
)
def test_base_url_of_somebody_else(customer: Customer, url: str) -> None:
    """K3: `ssrf_by_redirect_dns_or_ipv6`: 400 before anything is sent."""
    response = add(customer, "a" * 20, provider="ollama", base_url=url)
    assert refusal(response) == (400, "base-url-not-allowed")
    assert response.json()["errors"][0]["field"] == "base_url"


def test_own_server_without_a_key(customer: Customer, providers: ProvidersSandbox) -> None:
    """K3: Ollama asks for a base URL and for no key; a host that staff allow is called."""
    AllowedHost.objects.create(host="127.0.0.1", port=providers.port, created_at=AT)
    url = f"{providers.url}/ollama"
    response = call("POST", PATH, customer.key, {"provider": "ollama", "base_url": url})
    assert response.status_code == 201, response.text
    assert (response.json()["base_url"], response.json()["last_four"]) == (url, "")
    assert field_codes(call("POST", PATH, customer.key, {"provider": "ollama"})) == {"base_url": "invalid"}
    assert field_codes(add(customer, "a" * 20, provider="resend", base_url=url)) == {"base_url": "invalid"}


def test_vault_without_a_key_of_keys(customer: Customer, providers: ProvidersSandbox) -> None:
    """K1: 503 `vault-not-configured`, and everything else of the vault still answers."""
    KeyEncryptionKey.objects.update(state="retiring")
    response = add(customer, providers.key("openai"))
    assert refusal(response) == (503, "vault-not-configured")
    assert not Credential.objects.exists()
    assert get(PATH, customer.key).json() == {"results": [], "next": None}


def test_same_request_once(customer: Customer, providers: ProvidersSandbox) -> None:
    """F3: under an idempotency key a key is added once; another text under it is another request, and a conflict."""
    headers = {"Idempotency-Key": "add-1"}
    first, again = (add(customer, providers.key("openai"), headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    other = add(customer, providers.key("openai", "tenant"), headers=headers)
    assert refusal(other) == (409, "idempotency-conflict")
    assert Credential.objects.count() == 1


def test_no_hash_of_the_key_is_kept(customer: Customer, providers: ProvidersSandbox) -> None:
    """K2: what is kept of the request tells nobody with the database whether a guessed key was it."""
    key = providers.key("openai")
    add(customer, key, headers={"Idempotency-Key": "add-1"})
    kept = KeptAnswer.objects.get()
    body = {"provider": "openai", "plain": key}
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in (key, json.dumps(body, separators=(",", ":")))]
    assert kept.request_digest not in hashes
    assert key not in kept.answer


def test_key_as_idempotency_key(customer: Customer, providers: ProvidersSandbox) -> None:
    """K2: idempotency keys are kept as they are, so that a provider key is none."""
    key = providers.key("assemblyai")
    response = add(customer, key, provider="assemblyai", headers={"Idempotency-Key": f"add-{key}"})
    assert field_codes(response) == {"Idempotency-Key": "holds-a-key"}
    assert key not in response.text
    assert not KeptAnswer.objects.exists()


def test_disable_and_enable(customer: Customer, providers: ProvidersSandbox) -> None:
    """K4: a disabled key says so; nothing else of it changes."""
    key = add(customer, providers.key("openai")).json()
    assert change(customer, key, disabled=True).json() == key | {"disabled": True}
    assert change(customer, key, disabled=False).json() == key
    assert change(customer, key).json() == key
    actions = list(AuditEvent.objects.exclude(actor_key=None).order_by("id").values_list("action", flat=True))
    assert actions == ["credential.added", "credential.disabled", "credential.enabled"]


def test_end_of_a_key(customer: Customer, providers: ProvidersSandbox) -> None:
    """K9: an end within two weeks is said as health; null takes it away."""
    key = add(customer, providers.key("openai")).json()
    soon = change(customer, key, expires_at="2026-03-20T00:00:00Z").json()
    assert (soon["expires_at"], soon["health"]) == ("2026-03-20T00:00:00Z", "expiring")
    assert change(customer, key, expires_at=None).json()["expires_at"] is None
    assert field_codes(change(customer, key, expires_at="2026-03-01T00:00:00Z")) == {"expires_at": "invalid"}
    assert field_codes(change(customer, key, base_url="https://example.com")) == {"base_url": "unknown-field"}


def test_revoked_key_stays_to_be_read(customer: Customer, providers: ProvidersSandbox) -> None:
    """K8: 204 also the second time; its text is gone, it is in no list, and nothing can be done with it."""
    key = add(customer, providers.key("openai")).json()
    for _ in range(2):
        assert call("DELETE", f"{PATH}/{key['id']}", customer.key).status_code == 204
    assert get(f"{PATH}/{key['id']}", customer.key).json()["health"] == "revoked"
    assert get(PATH, customer.key).json()["results"] == []
    assert bytes(CredentialVersion.objects.get().ciphertext) == b""
    rotation = {"api_key": providers.key("openai")}
    for action, body in (("rotate", rotation), ("validate", None), ("restore", None)):
        response = call("POST", f"{PATH}/{key['id']}/{action}", customer.key, body)
        assert refusal(response)[0] == 409, action
    assert refusal(change(customer, key, disabled=True))[0] == 409


def test_platform_keys_are_not_the_tenants(customer: Customer) -> None:
    """K12: staff's keys are neither listed nor found by anybody's API key."""
    platform = make_credential(None)
    path = f"{PATH}/cred_{platform.id.hex}"
    assert get(PATH, customer.key).json()["results"] == []
    for method, body in (("GET", None), ("PATCH", {"disabled": True}), ("DELETE", None)):
        assert refusal(call(method, path, customer.key, body)) == (404, "not-found")
    for action in ("rotate", "validate", "restore"):
        body = {"api_key": "a" * 20} if action == "rotate" else None
        assert refusal(call("POST", f"{path}/{action}", customer.key, body)) == (404, "not-found")


def test_pages(customer: Customer) -> None:
    """F3: the newest first, a cursor to the rest."""
    made = [f"cred_{make_credential(customer.tenant, name=f'{n}').id.hex}" for n in range(3)]
    first = get(f"{PATH}?limit=2", customer.key).json()
    second = get(f"{PATH}?limit=2&cursor={first['next']}", customer.key).json()
    assert [key["id"] for key in first["results"] + second["results"]] == made[::-1]
    assert second["next"] is None
    assert refusal(get(f"{PATH}?cursor=x", customer.key)) == (400, "invalid-cursor")
