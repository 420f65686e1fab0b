"""Reading the vault: keys as they may be shown, assignments, who used which key. Nothing here holds a secret."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery

from tenants.models import Agent
from vault.health import UNREADABLE
from vault.models import Assignment, Credential, CredentialAccess, CredentialVersion, KeyPolicy
from vault.resolution import Assigned, KeyRing, Namesake, RingKey

_AGENT = "agt_"  # begins an agent's public id


@dataclass(frozen=True, slots=True)
class KeySummary:
    """A credential with what may be shown of its texts: the current one's last characters, and a replaced one that can
    still be gone back to."""

    credential: Credential
    last_four: str
    previous: CredentialVersion | None


def keys_of(tenant_id: UUID | None) -> QuerySet[Credential]:
    """The tenant's keys, or the platform's: every look-up stays inside one owner."""
    return Credential.objects.filter(Q(tenant_id=tenant_id))


def credentials_of(tenant_id: UUID | None, *, with_revoked: bool = False) -> list[KeySummary]:
    """The tenant's keys, or the platform's, by provider and name; two queries. Ciphertexts are not read."""
    keys = _with_versions().filter(tenant_id=tenant_id)
    return [_summary(key) for key in (keys if with_revoked else keys.filter(revoked_at=None))]


def page_of_credentials(tenant_id: UUID, *, limit: int, before: UUID | None = None) -> list[KeySummary]:
    """The tenant's keys that are not revoked: newest first, older than the row `before`; two queries."""
    keys = _older_than(before, _with_versions().filter(tenant_id=tenant_id, revoked_at=None))
    return [_summary(key) for key in keys.order_by("-id")[:limit]]


def find_credential(tenant_id: UUID | None, credential_id: UUID) -> KeySummary:
    """One key of the tenant, a revoked one too. Raises Credential.DoesNotExist for an unknown or foreign one."""
    return _summary(_with_versions().get(tenant_id=tenant_id, id=credential_id))


def _with_versions() -> Any:
    """Credentials with the current version and the one that was replaced last, erased or not."""
    replaced = CredentialVersion.objects.filter(credential=OuterRef("credential"), replaced_at__isnull=False)
    last = Subquery(replaced.order_by("-replaced_at").values("id")[:1])
    shown = CredentialVersion.objects.filter(Q(number=F("credential__current_number")) | Q(id=last))
    return Credential.objects.prefetch_related(
        Prefetch("versions", shown.defer("ciphertext"), to_attr="shown_versions")
    )


def _summary(key: Any) -> KeySummary:
    current = next((v for v in key.shown_versions if v.number == key.current_number), None)
    previous = (v for v in key.shown_versions if v.number != key.current_number and v.overlap_ends_at is not None)
    return KeySummary(key, current.last_four if current is not None else "", next(previous, None))


def assignments_of(tenant_id: UUID) -> list[Assignment]:
    """The tenant's assignments with their places and keys, by provider and model; one query."""
    rows = Assignment.objects.filter(tenant_id=tenant_id)
    return list(rows.select_related("workspace", "office", "agent", "credential").order_by("provider", "model", "id"))


def page_of_assignments(
    tenant_id: UUID, *, limit: int, before: UUID | None = None, only: Iterable[UUID] | None = None
) -> list[tuple[Assignment, str]]:
    """The tenant's assignments, or `only` these, each with its key's last characters: newest first, older than the row
    `before`; one query."""
    rows = _older_than(before, Assignment.objects.filter(tenant_id=tenant_id))
    if only is not None:
        rows = rows.filter(id__in=list(only))
    return _with_keys(rows.order_by("-id")[:limit])


def assignments_with_keys(tenant_id: UUID, *, provider: str) -> list[tuple[Assignment, str]]:
    """The tenant's assignments for a provider, each with its key's last characters: all models first; one query."""
    return _with_keys(Assignment.objects.filter(tenant_id=tenant_id, provider=provider).order_by("model", "id"))


def _with_keys(rows: Any) -> list[tuple[Assignment, str]]:
    versions = CredentialVersion.objects.filter(
        credential=OuterRef("credential"), number=OuterRef("credential__current_number")
    )
    rows = rows.select_related("workspace", "office", "agent", "credential")
    return [(row, row.last_four or "") for row in rows.annotate(last_four=Subquery(versions.values("last_four")[:1]))]


def _older_than(before: UUID | None, rows: Any) -> Any:
    return rows if before is None else rows.filter(id__lt=before)


def policy_of(tenant_id: UUID) -> str | None:
    """What the tenant chose for runs without a usable key of its own; None where it left that to the plan (K6)."""
    return KeyPolicy.objects.filter(tenant_id=tenant_id).values_list("fallback", flat=True).first()


def accesses_of(
    tenant_id: UUID, *, limit: int, before: UUID | None = None, credential_id: UUID | None = None
) -> list[CredentialAccess]:
    """Who used which of the tenant's own keys when (K10): newest first, older than the row `before`; one query.

    The platform's keys are not the tenant's to see, although its runs use them.
    """
    rows = CredentialAccess.objects.filter(tenant_id=tenant_id, credential__tenant_id=tenant_id)
    if credential_id is not None:
        rows = rows.filter(credential_id=credential_id)
    if before is not None:
        rows = rows.filter(id__lt=before)
    return list(rows.select_related("credential", "workspace", "actor_key", "actor_user").order_by("-id")[:limit])


def offices_of_agent(workspace_id: UUID, agent: str) -> tuple[str, ...]:
    """The slugs of the offices that an agent may be in, given by id or name; empty for an agent without an office.

    An id means one agent, a retired one too; a name all live agents that have it.
    """
    as_id = _uuid_or_none(agent.removeprefix(_AGENT))
    meant = Q(name=agent, retired_at=None) | Q(id=as_id)
    agents = dict(Agent.objects.filter(meant, workspace_id=workspace_id).values_list("id", "office__slug"))
    slugs = {agents[as_id]} if as_id in agents else set(agents.values())
    return tuple(sorted(slug or "" for slug in slugs))


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def key_ring(tenant_id: UUID) -> KeyRing:
    """The tenant's assignments as runs are resolved by; four queries whatever is assigned."""
    named = Assignment.objects.filter(tenant_id=tenant_id).select_related("office", "agent")
    assignments = list(named.order_by("office_id", "id"))  # of offices that share a spelling the last one has it
    agents = _namesakes(assignments)
    rows: dict[tuple[UUID, str], list[Assigned]] = {}
    for row in assignments:
        place = row.agent_id or row.office_id or row.workspace_id or tenant_id
        rows.setdefault((place, row.provider), []).append(Assigned(row.model, row.credential_id))
    return KeyRing(
        tenant_id=tenant_id,
        policy=policy_of(tenant_id),
        rows=rows,
        keys=_ring_keys(tenant_id),
        offices=_office_spellings(assignments, agents),
        agents=_agent_ids(assignments),
        names=_agent_names(agents),
        workspaces_with_offices=frozenset(
            row.workspace_id for row in assignments if row.office_id and row.workspace_id
        ),
    )


def _ring_keys(tenant_id: UUID) -> dict[UUID, RingKey]:
    current = CredentialVersion.objects.filter(credential_id=OuterRef("id"), number=OuterRef("current_number"))
    keys = Credential.objects.filter(tenant_id=tenant_id, assignments__isnull=False).distinct()
    return {
        key.id: RingKey(
            id=key.id,
            number=key.current_number,
            name=key.name,
            last_four=key.last_four or "",
            base_url=key.base_url,
            health=key.health,
            health_reason=key.health_reason,
            disabled=key.disabled_at is not None,
            readable=key.is_there and key.health_reason != UNREADABLE,
        )
        for key in keys.annotate(
            last_four=Subquery(current.values("last_four")), is_there=Exists(current.filter(revoked_at=None))
        )
    }


def _namesakes(assignments: list[Assignment]) -> list[Agent]:
    """The live agents that are called as one with assignments: by a name alone any of them may be meant."""
    named = [row.agent for row in assignments if row.agent is not None]
    if not named:
        return []
    names, rooms = {agent.name for agent in named}, {agent.workspace_id for agent in named}
    live = Agent.objects.filter(workspace_id__in=rooms, name__in=names, retired_at=None)
    return list(live.select_related("office").order_by("id"))


def _office_spellings(assignments: list[Assignment], agents: list[Agent]) -> dict[tuple[UUID, str], UUID]:
    """By name, slug and id; where they clash the slug is meant before the name, the id before both."""
    found = [row.office for row in assignments] + [agent.office for agent in agents]
    offices = [(office.workspace_id, office) for office in found if office is not None]
    names = {(workspace, office.name): office.id for workspace, office in offices}
    slugs = {(workspace, office.slug): office.id for workspace, office in offices}
    return names | slugs | _id_spellings((workspace, office.id) for workspace, office in offices)


def _agent_ids(assignments: list[Assignment]) -> dict[tuple[UUID, str], UUID]:
    """By id, also the public one."""
    agents = [(row.agent.workspace_id, row.agent.id) for row in assignments if row.agent is not None]
    public = {(workspace, f"{_AGENT}{agent.hex}"): agent for workspace, agent in agents}
    return public | _id_spellings(agents)


def _agent_names(agents: list[Agent]) -> dict[tuple[UUID, str], list[Namesake]]:
    named: dict[tuple[UUID, str], list[Namesake]] = {}
    for agent in agents:
        named.setdefault((agent.workspace_id, agent.name), []).append(Namesake(agent.id, agent.office_id))
    return named


def _id_spellings(places: Iterable[tuple[UUID, UUID]]) -> dict[tuple[UUID, str], UUID]:
    return {(workspace, text): place for workspace, place in places for text in (str(place), place.hex)}
