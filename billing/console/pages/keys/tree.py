"""Assignments as a tree: what each place has of its own, what it takes over from above, and what runs there are on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from uuid import UUID

from billing.console.key_texts import models_text, reason_text
from billing.console.pages.keys.account_rules import TenantRules, tenant_rules
from billing.console.pages.keys.assigned import AssignedLine, assigned_lines
from billing.console.pages.keys.cards import KeyCard, key_card, provider_name
from billing.console.pages.keys.places import TENANT, PlaceOption
from billing.subscriptions.models import BillingAccount
from tenants.models import Tenant
from vault.queries import credentials_of, key_ring
from vault.resolution import Assigned, Decision, KeyRing, resolve

_OTHERS = "All other models"


@dataclass(frozen=True, slots=True)
class TreeLine:
    """What runs of a place on some models are on. `key` is the assigned key, None for the platform's.

    `origin` is the farther place that says so, empty where the place itself does: such a line can be taken away, and
    `afterwards` tells what runs are on then. `note` explains what is not as assigned; `is_broken` that the key fails.
    """

    provider: str
    provider_name: str
    models: Sequence[str]
    models_text: str
    key: KeyCard | None
    source: str
    origin: str
    note: str
    is_broken: bool
    afterwards: str = ""

    @property
    def is_own(self) -> bool:
        return not self.origin


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A place that has assignments, or places below it that have."""

    place: PlaceOption
    lines: Sequence[TreeLine]
    children: Sequence["TreeNode"]


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """All that the tree is drawn from."""

    tenant: Tenant
    ring: KeyRing
    rules: TenantRules
    cards: Mapping[UUID, KeyCard]
    lines: Mapping[str, Sequence[AssignedLine]]

    def decide(self, place: PlaceOption, provider: str, model: str, ring: KeyRing | None = None) -> Decision:
        rules = self.rules.at(place.workspace.id if place.workspace is not None else None)
        return resolve(ring or self.ring, place.run_place(self.tenant.id), provider=provider, model=model, rules=rules)


def assignment_tree(account: BillingAccount, at: datetime) -> TreeNode | None:
    """The tenant with every branch that has an assignment; None where nothing is assigned."""
    lines = assigned_lines(account.tenant)
    if not lines:
        return None
    places = {line.place.value: line.place for line in lines}
    snapshot = _Snapshot(
        tenant=account.tenant,
        ring=key_ring(account.tenant_id),
        rules=tenant_rules(account, at),
        cards={card.id: card for card in map(key_card, credentials_of(account.tenant_id, with_revoked=True))},
        lines={value: [line for line in lines if line.place.value == value] for value in places},
    )
    root = PlaceOption(TENANT, account.tenant.name, account.tenant.name)
    shown = {above.value: above for place in places.values() for above in chain_of(place, root)}
    return _node(snapshot, root, list(shown.values()), root)


def chain_of(place: PlaceOption, root: PlaceOption) -> list[PlaceOption]:
    """The place and those above it, the nearest first: an agent's office is above it."""
    chain = [place]
    if place.agent is not None and place.office is not None and place.workspace is not None:
        path = f"{place.workspace.name} › {place.office.name}"
        chain.append(PlaceOption("office", place.office.name, path, place.workspace, place.office))
    if place.scope in {"agent", "office"} and place.workspace is not None:
        chain.append(PlaceOption("workspace", place.workspace.name, place.workspace.name, place.workspace))
    return chain if place.scope == TENANT else [*chain, root]


def _node(snapshot: _Snapshot, place: PlaceOption, shown: Sequence[PlaceOption], root: PlaceOption) -> TreeNode:
    below = [other for other in shown if _parent(other, root) == place.value]
    below.sort(key=lambda other: (other.scope != "office", other.name.casefold(), other.value))
    return TreeNode(
        place=place,
        lines=_lines(snapshot, place, chain_of(place, root)),
        children=[_node(snapshot, child, shown, root) for child in below],
    )


def _parent(place: PlaceOption, root: PlaceOption) -> str:
    chain = chain_of(place, root)
    return chain[1].value if len(chain) > 1 else ""


def _lines(snapshot: _Snapshot, place: PlaceOption, chain: Sequence[PlaceOption]) -> list[TreeLine]:
    """The place's own lines, those of farther places that they leave open, and for whom nothing is said."""
    found: list[TreeLine] = []
    said: dict[str, list[str]] = {}
    for above in chain:
        lines = snapshot.lines.get(above.value, ())
        origin = "" if above.value == place.value else above.name
        for line in lines:
            nearer = said.get(line.provider, ())
            open_models = [model for model in line.models or [""] if not _covers(nearer, model)]
            if open_models:
                left = replace(line, models=[model for model in open_models if model])
                found.append(_line(snapshot, place, left, origin))
        for line in lines:
            said.setdefault(line.provider, []).extend(line.models or [""])
    found += [_rest(snapshot, place, provider) for provider, models in said.items() if "" not in models]
    some = {line.provider for line in found if line.models}
    named = [
        replace(line, models_text=_OTHERS) if line.provider in some and not line.models else line for line in found
    ]
    return sorted(named, key=lambda line: (line.provider_name.casefold(), bool(line.origin), not line.models))


def _covers(patterns: Iterable[str], model: str) -> bool:
    """Whether a nearer place has spoken of a model, or of a pattern as a whole."""
    return any(pattern in {"", model} or ("*" in pattern and fnmatchcase(model, pattern)) for pattern in patterns)


def _line(snapshot: _Snapshot, place: PlaceOption, line: AssignedLine, origin: str) -> TreeLine:
    decision = snapshot.decide(place, line.provider, line.sample)
    key = snapshot.cards.get(line.credential_id) if line.credential_id is not None else None
    as_assigned = decision.source == ("byok" if key is not None else "platform")
    return TreeLine(
        provider=line.provider,
        provider_name=line.provider_name,
        models=line.models,
        models_text=models_text(list(line.models)),
        key=key,
        source=decision.source,
        origin=origin,
        note="" if as_assigned or _is_told_once(snapshot, decision) else reason_text(decision.reason),
        is_broken=key is not None and (key.is_broken or decision.reason == "unreadable"),
        afterwards=_without(snapshot, line) if not origin else "",
    )


def _is_told_once(snapshot: _Snapshot, decision: Decision) -> bool:
    """Whether the page says it above the tree, for all of it."""
    return decision.reason == "own-keys-off" and not snapshot.rules.usual.own_keys


def _rest(snapshot: _Snapshot, place: PlaceOption, provider: str) -> TreeLine:
    """The models that no place names."""
    decision = snapshot.decide(place, provider, "")
    name, origin = provider_name(provider), "your settings"
    return TreeLine(provider, name, [], _OTHERS, None, decision.source, origin, "", is_broken=False)


def _without(snapshot: _Snapshot, line: AssignedLine) -> str:
    """What runs on the line's models are on once it is taken away, in words."""
    place = line.place
    holder = place.agent or place.office or place.workspace or snapshot.tenant
    gone = set(line.models or [""])
    rows = dict(snapshot.ring.rows)
    left: list[Assigned] = [row for row in rows.get((holder.id, line.provider), ()) if row.model not in gone]
    rows[holder.id, line.provider] = left
    decision = snapshot.decide(place, line.provider, line.sample, replace(snapshot.ring, rows=rows))
    if decision.credential_id is not None and decision.credential_id in snapshot.cards:
        card = snapshot.cards[decision.credential_id]
        return f"Runs here go on with your key “{card.name}” (…{card.last_four})."
    if decision.source == "platform":
        return "Runs here go on with the platform's key, and you pay the platform for them."
    return f"Runs here are refused from then on. {reason_text(decision.reason)}"
