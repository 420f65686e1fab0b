"""Keys in the vault, stored without asking a provider; needs the fixture `vault` or `own_vault`."""

from datetime import datetime
from itertools import count
from uuid import UUID

from django.db import transaction

from sandbox.providers.registry import PROVIDERS
from tenants.models import Tenant
from tenants.services.record_audit import SYSTEM
from tests.make import AT
from vault.crypto.secret import Secret
from vault.models import Assignment, Credential, Health
from vault.places import AssignedPlace
from vault.services.assign_key import assign_key
from vault.versions import write_version

_numbers = count(1)


@transaction.atomic
def make_credential(
    tenant: Tenant | None,
    *,
    provider: str = "openai",
    name: str = "",
    text: str = "",
    base_url: str = "",
    health: Health = Health.VALID,
    weight: int = 1,
    at: datetime = AT,
) -> Credential:
    """A key of the tenant, or of the platform; without a text the one that the provider's stand-in takes."""
    key = Credential.objects.create(
        tenant=tenant,
        provider=provider,
        name=name or f"Key {next(_numbers)}",
        base_url=base_url,
        health=health,
        health_since=at,
        checked_at=at,
        weight=weight,
        created_at=at,
    )
    write_version(key=key, number=1, plain=Secret(text or PROVIDERS[provider].key()), actor=SYSTEM, at=at)
    return key


def make_assignment(
    tenant: Tenant,
    credential: Credential | None,
    *,
    workspace_id: UUID | None = None,
    office_id: UUID | None = None,
    agent_id: UUID | None = None,
    provider: str = "openai",
    models: tuple[str, ...] = (),
    at: datetime = AT,
) -> list[Assignment]:
    """The key, or the platform's, for a place; without one for the whole tenant."""
    return assign_key(
        tenant_id=tenant.id,
        place=AssignedPlace(workspace_id, office_id, agent_id),
        provider=provider,
        models=models,
        credential_id=credential.id if credential is not None else None,
        actor=SYSTEM,
        at=at,
    )
