"""POST /v1/runtime/authorizations/{id}/credential: a run's provider key, for the platform's own runtime."""

import io
import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import time_machine
from django.db import connection
from pytest_django import Settings

from billing.api.hot.wsgi import HotPath
from billing.core.ids import decode_id, encode_id
from billing.runtime.models import Authorization
from billing.runtime.services.expire_holds import expire_holds
from billing.runtime.services.hand_out_credential import hand_out_credential
from billing.usage.models import UsageEvent
from tenants.permissions import Permission
from tenants.services.record_audit import SYSTEM
from tests.api.calls import call, refusal
from tests.api.endpoints import RUN
from tests.make import AT, Customer, Key, make_api_key, make_customer, make_workspace
from tests.runtime.own_keys import make_key, own_key
from tests.vault.make import fresh, key_text
from vault.crypto.secret import Secret
from vault.data_keys import forget_data_keys
from vault.models import Credential, CredentialAccess, CredentialVersion
from vault.platform_keys import forget_platform_keys
from vault.versions import write_version

pytestmark = pytest.mark.usefixtures("vault")
OPENAI = "https://api.openai.com"


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer(balance="10")


def authorize(customer: Customer, key: str = "r", **changes: Any) -> dict[str, Any]:
    response = call("POST", "/v1/runtime/authorizations", customer.key, RUN | {"idempotency_key": key} | changes)
    assert response.status_code == 201, response.content
    body: dict[str, Any] = response.json()
    return body


def hand_out(run: dict[str, Any], key: Key) -> Any:
    return call("POST", f"/v1/runtime/authorizations/{run['id']}/credential", key)


def settle(customer: Customer, run: dict[str, Any], outcome: str, *scopes: Permission) -> None:
    key = make_api_key(customer.tenant, *scopes) if scopes else customer.key
    body = {"input_tokens": 1, "output_tokens": 1, "outcome": outcome}
    response = call("POST", f"/v1/runtime/authorizations/{run['id']}/settle", key, body)
    assert response.status_code == 200, response.content


def test_own_key_of_a_run(customer: Customer) -> None:
    """K5: the plain text, where it goes, for how long; written down, and kept by no cache."""
    key = own_key(customer)
    run = authorize(customer, agent="ada")
    response = hand_out(run, make_api_key(customer.tenant, Permission.RUNTIME))
    body = response.json()
    assert body == {
        "authorization": run["id"],
        "provider": "openai",
        "model": "gpt-4o",
        "credential_source": "byok",
        "credential": encode_id("cred", key.id),
        "version": 1,
        "api_key": key_text(),
        "base_url": body["base_url"],
        "last_four": key_text()[-4:],
        "expires_at": "2026-03-10T12:15:00.000000Z",
    }
    assert body["base_url"].startswith(OPENAI)
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    access = CredentialAccess.objects.get()
    assert (access.credential_id, access.number, access.purpose, access.outcome, access.agent) == (
        key.id, 1, "run", "granted", "ada",
    )  # fmt: skip
    assert access.run_id == decode_id("auth", run["id"])


def test_version_that_was_given_is_noted(customer: Customer) -> None:
    """K5, K8: a run that was authorized before a rotation gets the new version, and says so."""
    key = own_key(customer)
    run = authorize(customer)
    write_version(key=key, number=2, plain=Secret(key_text(state="tenant-2")), actor=SYSTEM, at=AT)
    Credential.objects.filter(id=key.id).update(current_number=2)
    body = hand_out(run, customer.key).json()
    assert (body["version"], body["api_key"]) == (2, key_text(state="tenant-2"))
    assert Authorization.objects.get().credential_number == 2


def test_served_before_django(customer: Customer) -> None:
    """K5: the hot path serves it, with each header once."""
    own_key(customer)
    run = authorize(customer)
    headers: list[tuple[str, str]] = []

    def start_response(status: str, sent: list[tuple[str, str]]) -> None:
        headers.extend([("status", status), *sent])

    answer = HotPath(lambda environ, start: [])(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": f"/v1/runtime/authorizations/{run['id']}/credential",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_AUTHORIZATION": f"Bearer {customer.key.plain}",
            "wsgi.input": io.BytesIO(b""),
            "wsgi.url_scheme": "http",
        },
        start_response,
    )
    assert json.loads(b"".join(answer))["api_key"] == key_text()
    names = [name for name, _ in headers]
    assert len(names) == len(set(names))
    assert dict(headers) | {"status": "200 OK", "Cache-Control": "no-store"} == dict(headers)


def test_closed_runs_get_no_key(customer: Customer) -> None:
    """K5: settled, voided, and expired ones, swept or not."""
    own_key(customer)
    settled, voided, expired = (authorize(customer, name) for name in "abc")
    settle(customer, settled, "success")
    call("POST", f"/v1/runtime/authorizations/{voided['id']}/void", customer.key, {})
    assert refusal(hand_out(settled, customer.key)) == (409, "authorization-settled")
    assert refusal(hand_out(voided, customer.key)) == (409, "authorization-voided")
    with time_machine.travel(AT + timedelta(minutes=15), tick=False):
        assert refusal(hand_out(expired, customer.key)) == (409, "authorization-expired")
        expire_holds(at=AT + timedelta(minutes=15))
        assert refusal(hand_out(expired, customer.key)) == (409, "authorization-expired")
    assert not CredentialAccess.objects.exists()


def test_foreign_runs_get_no_key(customer: Customer) -> None:
    """F3: another tenant's run, one of another workspace than the key's, and none at all."""
    own_key(customer)
    run = authorize(customer)
    elsewhere = make_workspace(customer.tenant, "second", account=customer.account)
    for key in (make_customer().key, make_api_key(customer.tenant, workspace=elsewhere)):
        assert refusal(hand_out(run, key)) == (404, "not-found")
    assert refusal(hand_out({"id": "auth_1"}, customer.key)) == (404, "not-found")


@pytest.mark.parametrize(
    "change",
    [
        {"disabled_at": AT},
        {"health": "invalid"},
        {"health": "revoked", "revoked_at": AT},
    ],
)
def test_key_that_was_taken_away_is_not_given(customer: Customer, change: dict[str, Any]) -> None:
    """K4, K6: after the run was authorized too, at once, and the platform's is no substitute."""
    make_key(None)
    key = own_key(customer)
    run = authorize(customer)
    Credential.objects.filter(id=key.id).update(**change)
    refused = hand_out(run, customer.key)
    assert refusal(refused) == (409, "missing-provider-credential")
    assert key_text() not in refused.content.decode()


def test_wrong_key_returns_ciphertext_as_value(customer: Customer) -> None:
    """Keys: what does not decrypt is a refusal that says nothing of the text, noted, and breaks the key."""
    key, other = own_key(customer), make_key(customer, "anthropic")
    run = authorize(customer)
    foreign = CredentialVersion.objects.get(credential=other)
    CredentialVersion.objects.filter(credential=key).update(ciphertext=foreign.ciphertext)
    refused = hand_out(run, customer.key)
    assert refusal(refused) == (503, "credential-unreadable")
    assert refused.json()["detail"] == "The vault cannot read the key."
    assert CredentialAccess.objects.get().outcome == "unreadable"
    assert fresh(key).health == "invalid"


def test_vault_row_missing_bills_the_platform(customer: Customer) -> None:
    """Keys: a version that is gone is a refusal, though the platform has a key and the policy is to fall back."""
    make_key(None)
    key = own_key(customer)
    run = authorize(customer)
    Credential.objects.filter(id=key.id).update(current_number=2)
    assert refusal(hand_out(run, customer.key)) == (503, "credential-unreadable")


def test_platform_key(customer: Customer) -> None:
    """K12: the platform's key is handed out to its runtime, and which one it is told to nobody."""
    key = make_key(None)
    run = authorize(customer)
    assert (run["credential_source"], run["credential"]) == ("platform", None)
    body = hand_out(run, customer.key).json()
    assert (body["credential"], body["api_key"], body["version"]) == (None, key_text(), 1)
    settle(customer, run, "success")
    assert UsageEvent.objects.get().credential_id is None
    assert CredentialAccess.objects.get().credential_id == key.id


def test_another_platform_key_takes_over(customer: Customer) -> None:
    """K12: a pinned key that rests by now is replaced, and the one that was given is noted for its report."""
    first = make_key(None)
    run = authorize(customer)
    second = make_key(None)
    Credential.objects.filter(id=first.id).update(cools_until=AT + timedelta(minutes=1))
    hand_out(run, customer.key)
    assert Authorization.objects.get().credential_id == second.id
    settle(customer, run, "rate_limit")
    assert (fresh(first).failures, fresh(second).failures) == (0, 1)


def test_client_supplied_base_url_gets_the_platform_key(customer: Customer) -> None:
    """Keys: a run on the platform's key goes to the provider's own address, whatever addresses the tenant has."""
    make_key(None)
    make_key(customer, base_url="https://models.example.com/v1")
    body = hand_out(authorize(customer), customer.key).json()
    assert body["base_url"].startswith(OPENAI)


def test_platform_without_a_key_in_the_vault(customer: Customer) -> None:
    """K12: where the platform's runtime has its own key the run is granted, and there is nothing to hand out."""
    refused = hand_out(authorize(customer), customer.key)
    assert refusal(refused) == (409, "missing-provider-credential")
    assert "runtime itself" in refused.json()["remedy"]


def test_all_platform_keys_rest(customer: Customer) -> None:
    """K12: 503 with the seconds to wait, on authorize and for a key that came to rest meanwhile."""
    key = make_key(None)
    run = authorize(customer)
    settle(customer, authorize(customer, "other"), "rate_limit")
    assert fresh(key).cools_until == AT + timedelta(seconds=30)
    forget_platform_keys()  # on commit, outside of tests
    for response in (
        call("POST", "/v1/runtime/authorizations", customer.key, RUN | {"idempotency_key": "new"}),
        hand_out(run, customer.key),
    ):
        assert refusal(response) == (503, "provider-unavailable")
        assert response.headers["Retry-After"] == "30"
    tier = {"provider": None, "model": None, "recommended_model_tier": "standard"}
    assert authorize(customer, "tier", **tier)["provider"] != "openai"


def test_vault_without_its_key_encryption_key(customer: Customer, settings: Settings, tmp_path: Any) -> None:
    """K1: 503, and no word of where keys should be."""
    own_key(customer)
    run = authorize(customer)
    settings.VAULT_KEK_DIR = str(tmp_path / "nowhere")
    forget_data_keys()
    refused = hand_out(run, customer.key)
    assert refused.status_code == 503
    assert str(tmp_path) not in refused.content.decode()


@pytest.mark.parametrize(
    ("outcome", "health"),
    [
        ("rate_limit", "rate_limited"),
        ("auth_failure", "invalid"),
        ("quota", "quota_exhausted"),
        ("success", "valid"),
        ("provider_error", "valid"),
    ],
)
def test_outcome_feeds_the_keys_health(customer: Customer, outcome: str, health: str) -> None:
    """K9: what the platform's runtime tells of a tenant's key when it settles."""
    key = own_key(customer)
    settle(customer, authorize(customer), outcome)
    assert fresh(key).health == health


def test_outcome_from_others_is_no_report(customer: Customer) -> None:
    """K9: a program that may only report usage breaks no key."""
    key = own_key(customer)
    settle(customer, authorize(customer), "auth_failure", Permission.USAGE_WRITE)
    assert fresh(key).health == "valid"


def test_outcome_of_an_older_version_is_passed_over(customer: Customer) -> None:
    """K8, K9: the key was replaced while the run was under way."""
    key = own_key(customer)
    run = authorize(customer)
    write_version(key=key, number=2, plain=Secret(key_text(state="tenant-2")), actor=SYSTEM, at=AT)
    Credential.objects.filter(id=key.id).update(current_number=2)
    settle(customer, run, "auth_failure")
    assert fresh(key).health == "valid"


def test_failed_report_fails_no_settlement(customer: Customer) -> None:
    """K9, M2: what ran is settled, though the vault cannot take what is said of the key."""
    own_key(customer)
    run = authorize(customer)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;"
            "CREATE TRIGGER refuse BEFORE UPDATE ON vault_credential FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    settle(customer, run, "auth_failure")
    assert Authorization.objects.get().state == "settled"


def test_answer_shows_no_key_by_accident(customer: Customer) -> None:
    """K2: only the encoder that is made for it writes the key."""
    own_key(customer)
    run = authorize(customer)
    answer = hand_out_credential(caller=customer.key.caller, authorization_id=decode_id("auth", run["id"]), at=AT)
    assert key_text() not in repr(answer)
    with pytest.raises(TypeError, match="unsupported"):
        msgspec.json.encode(answer)
