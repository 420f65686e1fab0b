"""/v1/vault/policy, providers and accesses."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tenants.models import AuditEvent
from tests.api.calls import call, field_codes, get, refusal
from tests.make import AT, Customer, make_customer
from tests.vault.make import make_credential
from vault.models import Credential, CredentialAccess, KeyPolicy

ACCESSES, POLICY = "/v1/vault/accesses", "/v1/vault/policy"
pytestmark = pytest.mark.usefixtures("vault")


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer()


def make_access(customer: Customer, key: Credential, **fields: object) -> CredentialAccess:
    values = {"tenant": customer.tenant, "credential": key, "number": 1, "purpose": "run", "at": AT} | fields
    return CredentialAccess.objects.create(**values)


def test_policy(customer: Customer) -> None:
    """K6: the tenant's choice, which null takes back; each change is in the audit log."""
    assert get(POLICY, customer.key).json() == {"fallback": None}
    for choice in ("strict", "fallback", "fallback", None):
        assert call("PUT", POLICY, customer.key, {"fallback": choice}).json() == {"fallback": choice}
        assert get(POLICY, customer.key).json() == {"fallback": choice}
    assert not KeyPolicy.objects.exists()
    assert AuditEvent.objects.filter(action="key_policy.set", actor_key=customer.key.row).count() == 3


def test_refused_policy(customer: Customer) -> None:
    """F3: the refusal says which words there are, and not which one was sent."""
    for body, code in (
        ({}, "required"),
        ({"fallback": "sometimes"}, "invalid-choice"),
        ({"fallback": True}, "invalid-choice"),
    ):
        response = call("PUT", POLICY, customer.key, body)
        assert field_codes(response) == {"fallback": code}
    assert "sometimes" not in response.text


def test_providers(customer: Customer) -> None:
    """K3: all of them, with what a form needs to know."""
    providers = {row["id"]: row for row in get("/v1/vault/providers", customer.key).json()["results"]}
    assert len(providers) == 17
    assert {row["kind"] for row in providers.values()} == {"llm", "stt", "tts", "telephony", "email"}
    assert providers["ollama"] | {"key_hint": "", "console_url": ""} == {
        "id": "ollama",
        "name": "Ollama",
        "kind": "llm",
        "key_hint": "",
        "takes_base_url": True,
        "needs_base_url": True,
        "needs_key": False,
        "console_url": "",
    }


def test_accesses(customer: Customer) -> None:
    """K5, K10: when which version was read for what, and who asked."""
    key, run = make_credential(customer.tenant), uuid4()
    place = {"workspace": customer.workspace, "office": "sales", "agent": "Ada", "model": "gpt-4o"}
    make_access(customer, key, run_id=run, actor_key=customer.key.row, **place)
    make_access(customer, key, purpose="check", outcome="unreadable", at=AT + timedelta(hours=1))
    check, access = get(ACCESSES, customer.key).json()["results"]
    assert access == {
        "at": "2026-03-10T12:00:00Z",
        "credential": f"cred_{key.id.hex}",
        "provider": "openai",
        "version": 1,
        "purpose": "run",
        "outcome": "granted",
        "authorization": f"auth_{run.hex}",
        "workspace": "main",
        "office": "sales",
        "agent": "Ada",
        "model": "gpt-4o",
        "by": {"kind": "api_key", "name": "test"},
    }
    assert (check["purpose"], check["outcome"], check["authorization"]) == ("check", "unreadable", None)
    assert (check["workspace"], check["by"]) == (None, {"kind": "system", "name": None})


def test_accesses_to_own_keys_alone(customer: Customer) -> None:
    """K10, K12: not to the platform's, although the tenant's runs used them, and to nobody else's."""
    other = make_customer()
    make_access(customer, make_credential(None))
    make_access(other, make_credential(other.tenant))
    assert get(ACCESSES, customer.key).json() == {"results": [], "next": None}


def test_pages_and_one_key(customer: Customer) -> None:
    """F3: the latest first; narrowed to one key, which is the tenant's."""
    key, second = make_credential(customer.tenant), make_credential(customer.tenant)
    for number in range(3):
        make_access(customer, key, model=f"m{number}")
    make_access(customer, second, model="other")
    narrowed = f"{ACCESSES}?credential=cred_{key.id.hex}&limit=2"
    first = get(narrowed, customer.key).json()
    rest = get(f"{narrowed}&cursor={first['next']}", customer.key).json()
    assert [row["model"] for row in first["results"] + rest["results"]] == ["m2", "m1", "m0"]
    foreign = make_credential(make_customer().tenant)
    for name in (f"cred_{foreign.id.hex}", "x"):
        assert refusal(get(f"{ACCESSES}?credential={name}", customer.key)) == (404, "not-found")
