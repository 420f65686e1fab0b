"""What /v1/vault answers: of a key's text never more than its last characters (K2)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from billing.api.vault_assignments import PLATFORM
from billing.core.ids import encode_id
from vault.models import BROKEN, Assignment, Credential, CredentialAccess, CredentialVersion
from vault.providers import PROVIDERS
from vault.providers.base import Provider
from vault.queries import KeySummary


class PreviousAnswer(msgspec.Struct, frozen=True):
    """The version before, which can be gone back to until `overlap_ends_at`."""

    version: int
    last_four: str
    overlap_ends_at: datetime | None


class KeyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's key. `version` is the one in use; `health` is what is known of it at the provider."""

    id: str
    provider: str
    kind: str
    name: str
    base_url: str
    last_four: str
    version: int
    health: str
    health_reason: str
    health_since: datetime
    checked_at: datetime | None
    expires_at: datetime | None
    disabled: bool
    created_at: datetime
    previous: PreviousAnswer | None


class KeysAnswer(msgspec.Struct, frozen=True):
    """A page of the tenant's keys, the newest first; revoked ones are not listed."""

    results: list[KeyAnswer]
    next: str | None


class AssignmentAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Which key the runs of a place are on. `model` null: all models that no other row of the place names.

    `credential` is a key's id or `platform`. `broken`: the key cannot be used, and runs look no further.
    """

    id: str
    scope: str
    workspace: str | None
    office: str | None
    agent: str | None
    provider: str
    model: str | None
    credential: str
    credential_name: str | None
    last_four: str | None
    health: str | None
    broken: bool


class AssignmentsAnswer(msgspec.Struct, frozen=True):
    """A page of the tenant's assignments, the newest first."""

    results: list[AssignmentAnswer]
    next: str | None


class AssignedAnswer(msgspec.Struct, frozen=True):
    """What a change has left: the rows that it made or kept, and how many it removed."""

    results: list[AssignmentAnswer]
    removed: int


class PolicyAnswer(msgspec.Struct, frozen=True):
    """Where no usable key of one's own is found: `strict` refuses the run, `fallback` takes the platform's key.

    Null leaves it to the plan: `strict` on plans for own keys alone, else `fallback`.
    """

    fallback: str | None


class ProviderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A provider whose keys the vault keeps. `key_hint` is how its keys look."""

    id: str
    name: str
    kind: str
    key_hint: str
    takes_base_url: bool
    needs_base_url: bool
    needs_key: bool
    console_url: str


class ProvidersAnswer(msgspec.Struct, frozen=True):
    """All providers."""

    results: list[ProviderAnswer]


class ActorAnswer(msgspec.Struct, frozen=True):
    """Who did it: an API key or a member, by name; `system` on its own account."""

    kind: Annotated[str, Meta(pattern="^(api_key|member|system)$")]
    name: str | None


class AccessAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A key's plain text left the vault. `authorization` is the run that it was for.

    `outcome` is `granted`, or `unreadable` where it could not be decrypted.
    """

    at: datetime
    credential: str
    provider: str
    version: int
    purpose: str
    outcome: str
    authorization: str | None
    workspace: str | None
    office: str
    agent: str
    model: str
    by: ActorAnswer


class AccessesAnswer(msgspec.Struct, frozen=True):
    """A page of accesses to the tenant's own keys, the latest first."""

    results: list[AccessAnswer]
    next: str | None


def key_answer(summary: KeySummary) -> KeyAnswer:
    """A key with what may be shown of its texts."""
    key = summary.credential
    return KeyAnswer(
        id=credential_id(key.id),
        provider=key.provider,
        kind=PROVIDERS[key.provider].kind.value,
        name=key.name,
        base_url=key.base_url,
        last_four=summary.last_four,
        version=key.current_number,
        health=key.health,
        health_reason=key.health_reason,
        health_since=key.health_since,
        checked_at=key.checked_at,
        expires_at=key.expires_at,
        disabled=key.disabled_at is not None,
        created_at=key.created_at,
        previous=_previous(summary.previous),
    )


def _previous(version: CredentialVersion | None) -> PreviousAnswer | None:
    return PreviousAnswer(version.number, version.last_four, version.overlap_ends_at) if version is not None else None


def assignment_answer(row: Assignment, last_four: str) -> AssignmentAnswer:
    """An assignment; `last_four` is of its key's current version."""
    key = row.credential
    return AssignmentAnswer(
        id=encode_id("asg", row.id),
        scope=_scope(row),
        workspace=row.workspace.slug if row.workspace is not None else None,
        office=row.office.slug if row.office is not None else None,
        agent=encode_id("agt", row.agent.id) if row.agent is not None else None,
        provider=row.provider,
        model=row.model or None,
        credential=credential_id(key.id) if key is not None else PLATFORM,
        credential_name=key.name if key is not None else None,
        last_four=last_four if key is not None else None,
        health=key.health if key is not None else None,
        broken=key is not None and is_broken(key),
    )


def is_broken(key: Credential) -> bool:
    """Whether runs that are assigned to the key are stopped by it (K4)."""
    return key.disabled_at is not None or key.health in BROKEN


def _scope(row: Assignment) -> str:
    if row.agent_id is not None:
        return "agent"
    if row.office_id is not None:
        return "office"
    return "tenant" if row.workspace_id is None else "workspace"


def access_answer(row: CredentialAccess) -> AccessAnswer:
    """An access, with its run and who asked."""
    return AccessAnswer(
        at=row.at,
        credential=credential_id(row.credential_id),
        provider=row.credential.provider,
        version=row.number,
        purpose=row.purpose,
        outcome=row.outcome,
        authorization=encode_id("auth", row.run_id) if row.run_id is not None else None,
        workspace=row.workspace.slug if row.workspace is not None else None,
        office=row.office,
        agent=row.agent,
        model=row.model,
        by=_actor(row),
    )


def _actor(row: CredentialAccess) -> ActorAnswer:
    if row.actor_key is not None:
        return ActorAnswer("api_key", row.actor_key.name)
    if row.actor_user is not None:
        return ActorAnswer("member", row.actor_user.get_full_name())
    return ActorAnswer("system", None)


def provider_answer(provider: Provider) -> ProviderAnswer:
    """A provider of the registry."""
    return ProviderAnswer(
        id=provider.id,
        name=provider.name,
        kind=provider.kind.value,
        key_hint=provider.key_hint,
        takes_base_url=provider.takes_base_url,
        needs_base_url=provider.needs_base_url,
        needs_key=provider.needs_key,
        console_url=provider.console_url,
    )


def credential_id(value: UUID) -> str:
    """A key's id, as the outside knows it."""
    return encode_id("cred", value)
