"""Handing out: what the database says now, written down, and never another one's key."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from tenants.models import Tenant, Workspace
from tenants.services.record_audit import SYSTEM, Actor
from tests.make import AT, make_api_key, make_tenant, make_workspace
from tests.vault.make import fresh, key_text, make_credential, some_id
from tests.vault.test_sealing import by_sql
from vault.crypto.secret import Secret
from vault.errors import AllKeysRest, NotUsable, Unreadable
from vault.health import UNREADABLE
from vault.models import Credential, CredentialAccess, CredentialVersion, HealthChange
from vault.services.hand_out import HandedOut, RunToHandOut, hand_out
from vault.services.revoke_credential import revoke_credential
from vault.versions import replace_version, write_version

pytestmark = pytest.mark.usefixtures("vault")


def run_on(key: Credential | None, workspace: Workspace, **changed: Any) -> RunToHandOut:
    is_own = key is not None and key.tenant_id is not None
    values = {
        "run_id": some_id(),
        "tenant_id": workspace.tenant_id,
        "workspace_id": workspace.id,
        "office": "support",
        "agent": "Ada",
        "provider": key.provider if key is not None else "openai",
        "model": "gpt-5",
        "credential_source": "byok" if is_own else "platform",
        "credential_id": key.id if key is not None else None,
    }
    return RunToHandOut(**values | changed)


def hand(run: RunToHandOut, actor: Actor = SYSTEM) -> HandedOut:
    return hand_out(run=run, actor=actor, at=AT)


@pytest.fixture
def tenant(vault: object) -> Tenant:
    return make_tenant()


@pytest.fixture
def workspace(tenant: Tenant) -> Workspace:
    return make_workspace(tenant)


def test_own_key_with_its_access(tenant: Tenant, workspace: Workspace) -> None:
    """K5, K10: the text, and a line of who read it for which run."""
    key, api_key = make_credential(tenant), make_api_key(tenant).row
    run = run_on(key, workspace)
    handed = hand(run, Actor(key_id=api_key.id))
    assert handed.secret.reveal() == key_text()
    assert (handed.credential_id, handed.number, handed.last_four) == (key.id, 1, key_text()[-4:])
    access = CredentialAccess.objects.get()
    assert (access.purpose, access.outcome, access.number, access.run_id) == ("run", "granted", 1, run.run_id)
    assert (access.tenant_id, access.workspace_id, access.actor_key_id) == (tenant.id, workspace.id, api_key.id)
    assert (access.office, access.agent, access.model) == ("support", "Ada", "gpt-5")


def test_rotated_meanwhile(tenant: Tenant, workspace: Workspace) -> None:
    """K8: the new text, for a run that was authorized on the old one."""
    key = make_credential(tenant)
    write_version(key=key, number=2, plain=Secret(key_text("openai", "tenant")), actor=SYSTEM, at=AT)
    replace_version(key=key, number=1, overlap=timedelta(0), at=AT)
    Credential.objects.filter(id=key.id).update(current_number=2)
    handed = hand(run_on(key, workspace))
    assert (handed.number, handed.secret.reveal()) == (2, key_text("openai", "tenant"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"disabled_at": AT}, "disabled"),
        ({"health": "invalid"}, "invalid"),
        ({"health": "quota_exhausted"}, "quota_exhausted"),
        ({"health": "unreachable"}, "unreachable"),
    ],
)
def test_own_key_that_broke_meanwhile(
    tenant: Tenant, workspace: Workspace, change: dict[str, object], reason: str
) -> None:
    """K4, K6: refused; the platform's key does not take its place."""
    key = make_credential(tenant)
    make_credential(None)
    Credential.objects.filter(id=key.id).update(**change)
    with pytest.raises(NotUsable) as refusal:
        hand(run_on(key, workspace))
    assert refusal.value.reason == reason
    assert not CredentialAccess.objects.exists()


def test_revoked_key_is_gone(tenant: Tenant, workspace: Workspace) -> None:
    """K8: from the next call on."""
    key = make_credential(tenant)
    run = run_on(key, workspace)
    hand(run)
    revoke_credential(tenant_id=tenant.id, credential_id=key.id, actor=SYSTEM, at=AT)
    with pytest.raises(NotUsable, match="revoked"):
        hand(run)


def test_foreign_key_is_not_there(workspace: Workspace) -> None:
    """K10: nor is one of another provider, nor the platform's in the place of an own one."""
    own = make_credential(workspace.tenant)
    wrong = [
        run_on(make_credential(make_tenant()), workspace),
        run_on(own, workspace, provider="groq"),
        run_on(make_credential(None), workspace, credential_source="byok"),
    ]
    for run in wrong:
        with pytest.raises(NotUsable) as refusal:
            hand(run)
        assert refusal.value.reason == "missing"


@pytest.mark.parametrize("is_own", [True, False])
def test_key_that_does_not_decrypt(workspace: Workspace, is_own: bool) -> None:
    """K6: said and noted; broken from now on, and nobody else's key is given."""
    key = make_credential(workspace.tenant if is_own else None)
    make_credential(None)
    CredentialVersion.objects.filter(credential=key).update(ciphertext=b"\x01\x01" + bytes(200))
    with pytest.raises(Unreadable):
        hand(run_on(key, workspace))
    access = CredentialAccess.objects.get()
    assert (access.credential_id, access.outcome, access.purpose) == (key.id, "unreadable", "run")
    broken = fresh(key)
    assert (broken.health, broken.health_reason) == ("invalid", UNREADABLE)
    assert HealthChange.objects.get().reason == UNREADABLE


def test_current_version_that_is_missing(workspace: Workspace) -> None:
    """K6: the same, at once."""
    key = make_credential(workspace.tenant)
    by_sql("DELETE FROM vault_credentialversion WHERE credential_id = %s", key.id)
    with pytest.raises(Unreadable):
        hand(run_on(key, workspace))
    assert CredentialAccess.objects.get().outcome == "unreadable"


def test_platform_key(workspace: Workspace) -> None:
    """K12: the pinned one while it works, else another of the provider; written down for the tenant whose run it is."""
    pinned, other = make_credential(None), make_credential(None)
    make_credential(None, "groq")
    run = run_on(pinned, workspace)
    assert hand(run).credential_id == pinned.id
    for change in ({"cools_until": AT + timedelta(seconds=1)}, {"health": "invalid"}, {"disabled_at": AT}):
        Credential.objects.filter(id=pinned.id).update(**{"cools_until": None, "health": "valid"} | change)
        assert hand(run).credential_id == other.id
    assert set(CredentialAccess.objects.values_list("tenant_id", flat=True)) == {workspace.tenant_id}
    Credential.objects.filter(id=other.id).update(cools_until=AT + timedelta(seconds=40))
    Credential.objects.filter(id=pinned.id).update(disabled_at=None, cools_until=AT + timedelta(seconds=90))
    with pytest.raises(AllKeysRest) as refusal:
        hand(run)
    assert refusal.value.retry_after == 40


def test_platform_key_that_the_vault_does_not_keep(workspace: Workspace) -> None:
    """K12: the runtime has its own; one that staff add meanwhile is given."""
    run = run_on(None, workspace)
    with pytest.raises(NotUsable) as refusal:
        hand(run)
    assert refusal.value.reason == "not-in-vault"
    key = make_credential(None)
    assert hand(run).credential_id == key.id


def test_client_supplied_base_url_gets_the_platform_key(workspace: Workspace, settings: Settings) -> None:
    """K6: the platform's key goes to the provider's own address, an own key to its own; neither to the other's."""
    settings.PROVIDERS_HOST = ""
    own = make_credential(workspace.tenant, base_url="https://models.example.com/v1")
    platform = make_credential(None)
    by_own, by_platform = hand(run_on(own, workspace)), hand(run_on(platform, workspace))
    assert (by_own.credential_id, by_own.base_url) == (own.id, "https://models.example.com/v1")
    assert (by_platform.credential_id, by_platform.base_url) == (platform.id, "https://api.openai.com")
    Credential.objects.filter(id=own.id).update(disabled_at=AT)
    with pytest.raises(NotUsable):
        hand(run_on(own, workspace))
    # The address of a credential cannot be changed under its text, not even in SQL.
    by_sql("UPDATE vault_credential SET base_url = 'https://evil.example.com' WHERE id = %s", platform.id)
    with pytest.raises(Unreadable):
        hand(run_on(platform, workspace))
