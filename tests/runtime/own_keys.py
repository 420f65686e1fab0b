"""Provider keys in a line: rows as the vault's services leave them, encrypted, without asking a provider."""

from datetime import datetime
from itertools import count
from typing import Any

from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer
from vault.crypto.secret import Secret
from vault.models import Assignment, Credential
from vault.versions import write_version

_numbers = count(1)


def make_key(
    customer: Customer | None,
    provider: str = "openai",
    *,
    text: str = "",
    base_url: str = "",
    at: datetime = AT,
    **more: Any,
) -> Credential:
    """A valid key of the customer's tenant, of the platform where there is no customer; needs the `vault`."""
    number = next(_numbers)
    tenant_id = customer.tenant.id if customer is not None else None
    usual = {"name": f"Key {number}", "health": "valid", "health_since": at, "created_at": at}
    key = Credential.objects.create(tenant_id=tenant_id, provider=provider, base_url=base_url, **(usual | more))
    write_version(key=key, number=1, plain=Secret(text or f"sk-proj-{number:040}"), actor=SYSTEM, at=at)
    return key


def assign(
    customer: Customer, key: Credential | None, *, provider: str = "", model: str = "", **place: Any
) -> Assignment:
    """Put runs on a key, those of all the tenant where no place is named; None: on the platform's."""
    named = provider or (key.provider if key is not None else "openai")
    return Assignment.objects.create(
        tenant=customer.tenant, provider=named, model=model, credential=key, created_at=AT, **place
    )


def own_key(customer: Customer, provider: str = "openai", **more: Any) -> Credential:
    """A key that all runs of the tenant at the provider are on."""
    key = make_key(customer, provider, **more)
    assign(customer, key)
    return key
