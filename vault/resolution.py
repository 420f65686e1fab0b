"""Which key a run is on (K4, K6, K7): pure, over a snapshot of a tenant's assignments that holds no secret.

The nearest place that names the provider and the model decides, alone: what it says is never passed over for being
broken. Whether the platform's key may stand in is the tenant's choice, and never where the vault cannot read a key,
where a plan refuses, or where a key is for the tenant's own address.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple
from uuid import UUID

from vault.models import BROKEN, Health
from vault.providers import PROVIDERS

Source = Literal["byok", "platform", "refused"]
Scope = Literal["agent", "office", "workspace", "tenant"]
STRICT, FALLBACK = "strict", "fallback"
_SCOPES: tuple[Scope, ...] = ("agent", "office", "workspace", "tenant")
_Who = tuple[UUID | None, UUID | None]  # an agent and its office


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run says it is: office by slug, name or id, agent by name or id (also `agt_…`); both may be empty.

    `among`: the offices in which the agent may be, where it is named alone and there is more than one.
    """

    workspace_id: UUID
    office: str = ""
    agent: str = ""
    among: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyRules:
    """What the billing account says of keys: its own switch, and its plan."""

    own_keys: bool
    byok_enabled: bool
    byok_only: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """A run's key, or why it has none. `credential_id` and `number` are of the tenant's own key, on `byok` alone.

    `reason` is one word for records, `detail` a sentence for people; it is empty where there is nothing to explain.
    """

    source: Source
    credential_id: UUID | None
    number: int | None
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class RingKey:
    """What of a credential decides. `readable`: its current version is there, and was not found undecryptable."""

    id: UUID
    number: int
    name: str
    last_four: str
    base_url: str
    health: str
    health_reason: str
    disabled: bool
    readable: bool


class Assigned(NamedTuple):
    """One row of a place: for a model, a pattern with `*`, or all models where empty; no key means the platform's."""

    model: str
    credential_id: UUID | None


_Row = tuple[Scope, Assigned]


class Namesake(NamedTuple):
    """A live agent, by a name that others may have too; without an office it works in all of its workspace."""

    agent_id: UUID
    office_id: UUID | None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """A tenant's assignments: the rows of each place (its id) and provider, the keys, and how places are spelled.

    `offices` and `agents` map (workspace id, spelling) to an id, of those places alone that have rows of their own,
    agents by their ids; `names` has all live agents that are called as one of these. Offices of those are known too.
    """

    tenant_id: UUID
    policy: str | None
    rows: Mapping[tuple[UUID, str], Sequence[Assigned]]
    keys: Mapping[UUID, RingKey]
    offices: Mapping[tuple[UUID, str], UUID]
    agents: Mapping[tuple[UUID, str], UUID]
    names: Mapping[tuple[UUID, str], Sequence[Namesake]]
    workspaces_with_offices: frozenset[UUID]

    def wants_office(self, place: Place) -> bool:
        """Whether a run that names an agent alone may be decided by that agent's office: ask `offices_of_agent`."""
        return bool(place.agent) and not place.office and place.workspace_id in self.workspaces_with_offices


def is_tenants_own(provider: str) -> bool:
    """Whether the provider is the tenant's own machines, so that the platform has no key for it."""
    known = PROVIDERS.get(provider)
    return known is not None and known.needs_base_url


def empty_ring(tenant_id: UUID) -> KeyRing:
    """Of a tenant that has assigned nothing."""
    return KeyRing(tenant_id, None, {}, {}, {}, {}, {}, frozenset())


def resolve(ring: KeyRing, place: Place, *, provider: str, model: str, rules: KeyRules) -> Decision:
    """The key for a run of this place on this model (K4, K6, K7). Reasons have 30 characters at most."""
    if not rules.own_keys and not rules.byok_only:
        return _platform(provider, rules, "own-keys-off", "The account's own keys are switched off.")
    found = _deciding(ring, place, provider, model)
    if found == "ambiguous":
        return _refused(
            "ambiguous-agent",
            f"Several agents are called “{place.agent}” here, and not all run on the same key for {_name(provider)}.",
        )
    if found is None:
        return _without_assignment(ring, provider, rules)
    scope, row = found
    if row.credential_id is None:
        return _platform(provider, rules, "platform-chosen", "")
    if not rules.byok_enabled:
        return _refused(
            "plan-without-byok",
            f"A key of your own for {_name(provider)} is assigned here, and the plan does not include own keys.",
        )
    return _with_key(ring, ring.keys[row.credential_id], scope, provider, rules)


def assigned_key(ring: KeyRing, place: Place, *, provider: str, model: str) -> tuple[RingKey, str] | None:
    """The key assigned for a run that has taken place, usable or not by now, and the reason word; None for none, or
    where it is not known which of several agents ran."""
    found = _deciding(ring, place, provider, model)
    if found is None or found == "ambiguous" or found[1].credential_id is None:
        return None
    return ring.keys[found[1].credential_id], f"assigned-{found[0]}"


def _deciding(ring: KeyRing, place: Place, provider: str, model: str) -> _Row | Literal["ambiguous"] | None:
    """The row of the nearest place that has one for the model (K4); a guess between agents is no answer."""
    found = [_nearest(ring, place, who, provider, model) for who in _agents(ring, place)]
    keys = {row[1].credential_id if row is not None else "none" for row in found}
    return found[0] if len(keys) == 1 else "ambiguous"


def _nearest(ring: KeyRing, place: Place, who: _Who, provider: str, model: str) -> _Row | None:
    """From the nearest to the farthest place, of those that may have rows."""
    places = zip(_SCOPES, (*who, place.workspace_id, ring.tenant_id), strict=True)
    for scope, place_id in places:
        row = _row_for(ring.rows.get((place_id, provider), ()), model) if place_id is not None else None
        if row is not None:
            return scope, row
    return None


def _agents(ring: KeyRing, place: Place) -> Sequence[_Who]:
    """Which agent of which office the run may be of: by an id the one that has it; by a name those of the office, else
    those without an office, and never another office's."""
    known, office = ring.agents.get((place.workspace_id, place.agent)), _office(ring, place, place.office)
    if not place.agent or known is not None:
        return [(known, office)]
    named = ring.names.get((place.workspace_id, place.agent), ())
    if place.office:
        inside = [one for one in named if office is not None and one.office_id == office]
        outside = [one for one in named if one.office_id is None]
        return [(one.agent_id, office) for one in inside or outside] or [(None, office)]
    return named or [(None, _office(ring, place, slug)) for slug in place.among] or [(None, None)]


def _office(ring: KeyRing, place: Place, spelling: str) -> UUID | None:
    return ring.offices.get((place.workspace_id, spelling)) if spelling else None


def _row_for(rows: Sequence[Assigned], model: str) -> Assigned | None:
    """The row that names the model, else the longest pattern that it fits, else the one for all models (K7)."""
    fitting = [row for row in rows if row.model in {"", model} or ("*" in row.model and fnmatchcase(model, row.model))]
    return max(fitting, key=lambda row: (row.model == model, len(row.model), row.model), default=None)


def _without_assignment(ring: KeyRing, provider: str, rules: KeyRules) -> Decision:
    if _policy(ring, rules) == STRICT and not is_tenants_own(provider):
        return _refused(
            "missing", f"No key for {_name(provider)} is assigned here, and the platform's is not to be used."
        )
    return _platform(provider, rules, "no-assignment", "")


def _with_key(ring: KeyRing, key: RingKey, scope: Scope, provider: str, rules: KeyRules) -> Decision:
    trouble = _trouble(key)
    if trouble is None:
        return Decision("byok", key.id, key.number, f"assigned-{scope}", "")
    said = f"{_name(provider)} key “{key.name}” (…{key.last_four}), assigned to the {scope}, {_words(key, trouble)}."
    may_fall_back = trouble != "unreadable" and not key.base_url and _policy(ring, rules) == FALLBACK
    if may_fall_back and not rules.byok_only and not is_tenants_own(provider):
        return Decision("platform", None, None, f"fallback-{trouble}", said)
    return _refused(trouble, said)


def _trouble(key: RingKey) -> str | None:
    """Why a key cannot be used; None where it can. What was revoked is erased on purpose; what else cannot be read is
    a fault of the vault, and nobody's reason to pay for a run."""
    if key.health == Health.REVOKED:
        return "revoked"
    if not key.readable:
        return "unreadable"
    if key.disabled:
        return "disabled"
    return key.health if key.health in BROKEN else None


def _words(key: RingKey, trouble: str) -> str:
    if trouble == "unreadable":
        return "cannot be read from the vault"
    words = f"is {trouble.replace('_', ' ')}"
    return f"{words}: {key.health_reason.rstrip('.')}" if trouble == key.health and key.health_reason else words


def _policy(ring: KeyRing, rules: KeyRules) -> str:
    """The tenant's choice; without one, and on plans for own keys alone, what the plan means (K6)."""
    if rules.byok_only:
        return STRICT
    return ring.policy or FALLBACK


def _platform(provider: str, rules: KeyRules, reason: str, detail: str) -> Decision:
    """The platform's key, where there can be one."""
    if is_tenants_own(provider):
        return _refused(
            "needs-own-key", f"{_name(provider)} runs on your own machines, and no address of them is assigned."
        )
    if rules.byok_only:
        return _refused(
            "needs-own-key", f"The plan runs on your own keys, and none for {_name(provider)} is assigned here."
        )
    return Decision("platform", None, None, reason, detail)


def _name(provider: str) -> str:
    known = PROVIDERS.get(provider)
    return known.name if known is not None else provider


def _refused(reason: str, detail: str) -> Decision:
    return Decision("refused", None, None, reason, detail)
