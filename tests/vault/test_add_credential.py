"""Adding a key: asked about first, then kept, encrypted, with its line of the audit log."""

import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.providers.process import ProvidersSandbox
from tenants.models import AuditEvent, Tenant
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant
from tests.vault.make import key_text
from vault.crypto.secret import Secret
from vault.errors import (
    AddressNotAllowed,
    CredentialExists,
    HoldsKey,
    InvalidValue,
    KeyRejected,
    ProviderUnreachable,
    UnknownProvider,
    VaultNotConfigured,
)
from vault.models import AllowedHost, Credential, CredentialVersion, HealthChange, KeyEncryptionKey
from vault.providers import NO_KEY
from vault.sealing import unseal
from vault.services.add_credential import add_credential

pytestmark = pytest.mark.usefixtures("vault", "providers")


def add(tenant: Tenant | None, provider: str = "openai", state: str = "valid", **changed: Any) -> Credential:
    values = {"name": "", "plain": Secret(key_text(provider, state)), "actor": SYSTEM, "at": AT} | changed
    return add_credential(tenant_id=tenant.id if tenant is not None else None, provider=provider, **values)


def test_key_is_kept() -> None:
    """K1, K2: encrypted, with the last four characters in plain text and nothing else."""
    tenant = make_tenant()
    key = add(tenant, plain=Secret(f"  {key_text()}\n"))
    version = CredentialVersion.objects.get(credential=key)
    assert (key.name, key.health, key.checked_at, key.current_number) == ("OpenAI", "valid", AT, 1)
    assert key.next_check_at == AT + timedelta(hours=1)
    assert version.last_four == key_text()[-4:]
    assert unseal(key, version, tenant_id=tenant.id).reveal() == key_text()


def test_raw_key_in_audit_log() -> None:
    """K10: who added what; of the text its end."""
    tenant = make_tenant()
    key = add(tenant, name="Main")
    line = AuditEvent.objects.get(tenant=tenant)
    assert (line.action, line.target) == ("credential.added", str(key.id))
    assert line.detail == {"provider": "openai", "name": "Main", "last_four": key_text()[-4:], "health": "valid"}
    assert key_text() not in json.dumps(line.detail)


@pytest.mark.parametrize("state", ["restricted", "rate_limited", "quota_exhausted"])
def test_key_that_the_provider_knows(state: str) -> None:
    """K2: kept with what is wrong with it."""
    key = add(make_tenant(), state=state)
    change = HealthChange.objects.get()
    assert (key.health, change.before, change.after) == (state, "unverified", state)
    assert key.health_reason


@pytest.mark.parametrize("state", ["invalid", "echo"])
def test_key_that_the_provider_refuses(state: str) -> None:
    """K2: not kept, and nothing of it is said again."""
    with pytest.raises(KeyRejected) as refusal:
        add(make_tenant(), state=state)
    assert key_text("openai", state) not in str(refusal.value)
    assert not Credential.objects.exists()


def test_provider_that_does_not_answer() -> None:
    """K2: nothing is known, nothing is kept."""
    with pytest.raises(ProviderUnreachable):
        add(make_tenant(), state="unreachable")
    assert not Credential.objects.exists()


def test_names() -> None:
    """K2: once a tenant and provider; the first free one where none is given."""
    tenant = make_tenant()
    assert [add(tenant).name for _ in range(3)] == ["OpenAI", "OpenAI 2", "OpenAI 3"]
    assert add(tenant, name=" Main ").name == "Main"
    with pytest.raises(CredentialExists):
        add(tenant, name="Main")
    assert [add(make_tenant(), name="Main").name, add(tenant, "groq", name="Main").name] == ["Main", "Main"]
    assert [add(None).name, add(None).name] == ["OpenAI", "OpenAI 2"]


def test_name_that_is_a_key() -> None:
    """K2: names are shown to others."""
    texts = [key_text(), f"my {key_text('anthropic')}", "x" * 101, "two\nlines"]
    for name in texts:
        with pytest.raises(InvalidValue) as refusal:
            add(make_tenant(), name=name)
        assert name not in str(refusal.value)


def test_name_that_is_half_a_key() -> None:
    """K2: of a pair, which opens an account by itself."""
    for half in key_text("twilio").split(":"):
        with pytest.raises(HoldsKey):
            add(make_tenant(), "twilio", name=f"Phone {half}")


def test_provider_is_asked_last(providers: ProvidersSandbox) -> None:
    """K2: what is wrong without asking costs no call."""
    tenant = make_tenant()
    wrong: list[tuple[type[Exception], dict[str, Any]]] = [
        (InvalidValue, {"weight": 0}),
        (InvalidValue, {"weight": 1001}),
        (InvalidValue, {"expires_at": AT}),
        (InvalidValue, {"name": key_text()}),
        (InvalidValue, {"provider": "groq", "base_url": "https://models.example.com"}),
        (AddressNotAllowed, {"base_url": "http://169.254.169.254/latest"}),
        (InvalidValue, {"provider": "ollama"}),
        (KeyRejected, {"plain": Secret(key_text("anthropic"))}),
    ]
    for error, values in wrong:
        with pytest.raises(error):
            add(tenant, **{"provider": "openai"} | values)
    with pytest.raises(UnknownProvider):
        add_credential(tenant_id=tenant.id, provider="nobody", name="", plain=Secret(key_text()), actor=SYSTEM, at=AT)
    assert providers.calls() == []


def test_own_address(providers: ProvidersSandbox) -> None:
    """K3: where staff allow the host; without a key where the server asks for none."""
    host = providers.url.removeprefix("http://").rpartition(":")
    AllowedHost.objects.create(host=host[0], port=int(host[2]), created_at=AT)
    address = f"{providers.url}/ollama"
    key = add(make_tenant(), "ollama", plain=Secret(NO_KEY), base_url=f"{address}/")
    assert (key.base_url, key.health) == (address, "valid")
    assert CredentialVersion.objects.get().last_four == ""
    with pytest.raises(InvalidValue):
        add(None, "ollama", plain=Secret(NO_KEY), base_url=address)


def test_token_that_is_a_word(providers: ProvidersSandbox) -> None:
    """K3: programs that ask for a token are given one such as “ollama”, which addresses and names have in them too."""
    host = providers.url.removeprefix("http://").rpartition(":")
    AllowedHost.objects.create(host=host[0], port=int(host[2]), created_at=AT)
    providers.set_state("ollama", "ollama", "valid")
    key = add(make_tenant(), "ollama", plain=Secret("ollama"), base_url=f"{providers.url}/ollama", name="My ollama")
    assert (key.name, key.health) == ("My ollama", "valid")


def test_address_that_repeats_the_key() -> None:
    """K2: addresses are shown to others."""
    with pytest.raises(InvalidValue):
        add(make_tenant(), base_url=f"https://models.example.com/{key_text()}")


def test_key_that_ends_soon() -> None:
    """K9: known from the start."""
    key = add(make_tenant(), expires_at=AT + timedelta(days=14))
    assert (key.health, key.next_check_at) == ("expiring", AT + timedelta(hours=1))
    assert add(make_tenant(), expires_at=AT + timedelta(days=15)).health == "valid"


def test_platform_key_has_no_tenants_audit() -> None:
    """K12: staff's own log has it."""
    key = add(None, weight=5)
    assert (key.tenant_id, key.weight) == (None, 5)
    assert not AuditEvent.objects.exists()


def test_vault_without_a_key_of_its_own() -> None:
    """K1: nothing is kept that could not be encrypted."""
    KeyEncryptionKey.objects.update(state="retired", retired_at=AT)
    with pytest.raises(VaultNotConfigured):
        add(make_tenant())
    assert not Credential.objects.exists()
