"""/v1/vault/credentials/{id}/rotate, restore and validate."""

from typing import Any

import pytest

from sandbox.providers.process import ProvidersSandbox
from tenants.models import AuditEvent
from tests.api.calls import call, field_codes, get, refusal
from tests.make import Customer, make_customer
from tests.vault.make import make_credential
from vault.models import CredentialVersion

pytestmark = pytest.mark.usefixtures("vault")


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer()


@pytest.fixture
def path(customer: Customer, providers: ProvidersSandbox) -> str:
    """Of a key of OpenAI's."""
    return f"/v1/vault/credentials/cred_{make_credential(customer.tenant).id.hex}"


def rotate(customer: Customer, path: str, key: str, *, again: str = "", **fields: Any) -> Any:
    headers = {"Idempotency-Key": again} if again else {}
    return call("POST", f"{path}/rotate", customer.key, {"api_key": key} | fields, **headers)


def test_rotate_and_go_back(customer: Customer, providers: ProvidersSandbox, path: str) -> None:
    """K8: the new text is version 2, the old one can be gone back to for a day; then it is the other way round."""
    old, new = providers.key("openai"), providers.key("openai", "tenant")
    rotated = rotate(customer, path, new).json()
    assert (rotated["version"], rotated["last_four"], rotated["health"]) == (2, new[-4:], "valid")
    assert rotated["previous"] == {"version": 1, "last_four": old[-4:], "overlap_ends_at": "2026-03-11T12:00:00Z"}
    restored = call("POST", f"{path}/restore", customer.key).json()
    assert (restored["version"], restored["last_four"], restored["previous"]["version"]) == (1, old[-4:], 2)
    assert get(path, customer.key).json() == restored
    actions = AuditEvent.objects.filter(actor_key=customer.key.row).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["credential.rotated", "credential.restored"]


def test_overlap_is_chosen(customer: Customer, providers: ProvidersSandbox, path: str) -> None:
    """K8: in whole hours; none erases the old text at once, and there is nothing to go back to."""
    new = providers.key("openai", "tenant")
    kept = rotate(customer, path, new, overlap_hours=2).json()["previous"]
    assert kept["overlap_ends_at"] == "2026-03-10T14:00:00Z"
    path = f"/v1/vault/credentials/cred_{make_credential(customer.tenant).id.hex}"
    assert rotate(customer, path, new, overlap_hours=0).json()["previous"] is None
    assert CredentialVersion.objects.filter(ciphertext=b"", number=1).exists()
    assert refusal(call("POST", f"{path}/restore", customer.key)) == (409, "nothing-to-change")
    for hours, code in ((-1, "min-value"), (721, "max-value"), ("2", "invalid"), (1.5, "invalid")):
        assert field_codes(rotate(customer, path, new, overlap_hours=hours)) == {"overlap_hours": code}


def test_rejected_text_changes_nothing(customer: Customer, providers: ProvidersSandbox, path: str) -> None:
    """K2, K8: the key stays on the text that works."""
    before = get(path, customer.key).json()
    assert refusal(rotate(customer, path, providers.key("openai", "invalid"))) == (422, "provider-key-rejected")
    assert field_codes(call("POST", f"{path}/rotate", customer.key, {})) == {"api_key": "required"}
    assert get(path, customer.key).json() == before


def test_same_rotation_once(customer: Customer, providers: ProvidersSandbox, path: str) -> None:
    """F3: sent again under its idempotency key a rotation is not a second one."""
    new = providers.key("openai", "tenant")
    first, again = (rotate(customer, path, new, again="rotate-1").json() for _ in range(2))
    assert first == again
    assert CredentialVersion.objects.count() == 2
    other = rotate(customer, path, providers.key("openai", "tenant-2"), again="rotate-1")
    assert refusal(other) == (409, "idempotency-conflict")


def test_validate_says_what_the_provider_says_now(customer: Customer, providers: ProvidersSandbox, path: str) -> None:
    """K9: health by a call that costs nothing, with the reason in our words, and an access that is logged."""
    assert call("POST", f"{path}/validate", customer.key).json()["health"] == "valid"
    providers.set_state("openai", providers.key("openai"), "quota_exhausted")
    exhausted = call("POST", f"{path}/validate", customer.key).json()
    assert (exhausted["health"], bool(exhausted["health_reason"])) == ("quota_exhausted", True)
    accesses = get("/v1/vault/accesses", customer.key).json()["results"]
    assert [access["purpose"] for access in accesses] == ["check", "check"]


@pytest.mark.parametrize("action", ["restore", "validate"])
def test_nothing_is_sent_along(customer: Customer, path: str, action: str) -> None:
    """F3: an empty object or no body."""
    assert field_codes(call("POST", f"{path}/{action}", customer.key, {"api_key": "a"})) == {"api_key": "unknown-field"}
    assert call("POST", f"{path}/{action}", customer.key, {}).status_code in {200, 409}
