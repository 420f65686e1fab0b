"""At least one row of everything of the vault that the admin shows. No key here decrypts; none is asked for."""

from decimal import Decimal

from billing.runtime.models import BudgetWindow, ProviderBudget
from tests.make import AT, Customer
from vault.models import (
    AllowedHost,
    Assignment,
    Credential,
    CredentialAccess,
    CredentialVersion,
    DataKey,
    Health,
    HealthChange,
    KeyEncryptionKey,
    KeyPolicy,
)

BYTES = b"NEVERSHOWN"


def make_vault_records(customer: Customer) -> None:
    """A customer's key with everything that hangs on it, and one of the platform."""
    kek, _ = KeyEncryptionKey.objects.get_or_create(
        name="kek", backend="local", location="kek", defaults={"created_at": AT, "state": "active", "activated_at": AT}
    )
    own = DataKey.objects.create(tenant=customer.tenant, kek=kek, wrapped=BYTES, created_at=AT)
    credential = make_stored_key(own, name=f"Key of {customer.tenant.slug}")
    Assignment.objects.create(tenant=customer.tenant, provider="openai", credential=credential, created_at=AT)
    KeyPolicy.objects.create(tenant=customer.tenant, fallback="strict", changed_at=AT)
    HealthChange.objects.create(credential=credential, before="valid", after="invalid", source="check", at=AT)
    CredentialAccess.objects.create(
        tenant=customer.tenant,
        credential=credential,
        number=1,
        purpose="run",
        workspace=customer.workspace,
        actor_key=customer.key.row,
        at=AT,
    )
    platform, _ = DataKey.objects.get_or_create(
        tenant=None, replaced_at=None, defaults={"kek": kek, "wrapped": BYTES, "created_at": AT}
    )
    make_stored_key(platform, name=f"Platform {customer.tenant.slug}")


def make_shared_vault_records() -> None:
    """What belongs to no customer."""
    AllowedHost.objects.create(host="models.internal", port=11434, note="Ollama", created_at=AT)
    budget = ProviderBudget.objects.create(provider="openai", amount=Decimal(100), created_at=AT)
    BudgetWindow.objects.create(budget=budget, window_start=AT, spent=Decimal(3))


def make_stored_key(data_key: DataKey, *, name: str, provider: str = "openai") -> Credential:
    credential = Credential.objects.create(
        tenant=data_key.tenant,
        provider=provider,
        name=name,
        health=Health.VALID,
        health_since=AT,
        created_at=AT,
    )
    CredentialVersion.objects.create(
        credential=credential, number=1, data_key=data_key, ciphertext=BYTES, last_four="abcd", created_at=AT
    )
    return credential
