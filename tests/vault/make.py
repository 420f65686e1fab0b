"""Keys, assignments and rings for tests. Credentials need the `vault` fixture: their texts are really encrypted."""

from datetime import datetime
from itertools import count
from uuid import UUID

from sandbox.providers.registry import PROVIDERS
from tenants.models import Agent, Office, Tenant, Workspace
from tenants.services.record_audit import SYSTEM
from tests.make import AT
from vault.crypto.secret import Secret
from vault.models import Assignment, Credential
from vault.places import AssignedPlace
from vault.services.assign_key import assign_key
from vault.versions import write_version

_numbers = count(1)


def key_text(provider: str = "openai", state: str = "valid") -> str:
    """The text of the stand-in's key in this state; `tenant`, `tenant-2`, `platform` are more valid ones."""
    return PROVIDERS[provider].key(state)


def make_credential(
    tenant: Tenant | None,
    provider: str = "openai",
    *,
    name: str = "",
    text: str = "",
    health: str = "valid",
    base_url: str = "",
    weight: int = 1,
    expires_at: datetime | None = None,
    at: datetime = AT,
) -> Credential:
    """A stored key, due for a check at `at`; its provider is not asked. Without a tenant: the platform's."""
    key = Credential.objects.create(
        tenant=tenant,
        provider=provider,
        name=name or f"Key {next(_numbers)}",
        health=health,
        base_url=base_url,
        weight=weight,
        expires_at=expires_at,
        health_since=at,
        next_check_at=at,
        created_at=at,
    )
    write_version(key=key, number=1, plain=Secret(text or key_text(provider)), actor=SYSTEM, at=at)
    return key


def make_assignment(
    tenant: Tenant,
    credential: Credential | None,
    *models: str,
    provider: str = "openai",
    at_place: Workspace | Office | Agent | None = None,
) -> list[Assignment]:
    """The key for these models, or all, at a place of the tenant, or everywhere; None: the platform's key."""
    return assign_key(
        tenant_id=tenant.id,
        place=place_of(at_place),
        provider=credential.provider if credential is not None else provider,
        models=models,
        credential_id=credential.id if credential is not None else None,
        actor=SYSTEM,
        at=AT,
    )


def place_of(where: Workspace | Office | Agent | None) -> AssignedPlace:
    match where:
        case None:
            return AssignedPlace()
        case Workspace():
            return AssignedPlace(where.id)
        case Office():
            return AssignedPlace(where.workspace_id, office_id=where.id)
        case Agent():
            return AssignedPlace(where.workspace_id, agent_id=where.id)


def make_office(workspace: Workspace, slug: str = "support") -> Office:
    return Office.objects.create(workspace=workspace, slug=slug, name=slug.title())


def make_agent(workspace: Workspace, name: str = "Ada", *, office: Office | None = None) -> Agent:
    return Agent.objects.create(workspace=workspace, name=name, office=office, created_at=AT)


def fresh(key: Credential) -> Credential:
    """As the database has it now."""
    return Credential.objects.get(id=key.id)


def some_id() -> UUID:
    """An id of nothing."""
    return UUID(int=next(_numbers))
