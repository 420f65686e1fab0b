"""What a new key would take the place of (K4)."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from billing.console.pages.keys.places import TENANT, PlaceOption
from vault.models import Assignment
from vault.queries import assignments_with_keys

PLATFORM_KEY = "the platform's key"


def held_by_places(tenant_id: UUID, provider: str) -> dict[str, str]:
    """What places have for the provider by now, by the value that forms send for them; one query."""
    held: dict[str, list[str]] = {}
    for row, last_four in assignments_with_keys(tenant_id, provider=provider):
        entries = held.setdefault(_value(row), [])
        text = _key(row, last_four) + (" for some models" if row.model else "")
        if text not in entries:
            entries.append(text)
    return {value: " and ".join(entries) for value, entries in held.items()}


def replaced_keys(tenant_id: UUID, provider: str, place: PlaceOption, models: Sequence[str]) -> str:
    """The keys that the place has for just these models, or for all; empty for none. One query."""
    meant = set(models) or {""}
    rows = assignments_with_keys(tenant_id, provider=provider)
    found = [_key(row, last_four) for row, last_four in rows if _value(row) == place.value and row.model in meant]
    return " and ".join(dict.fromkeys(found))


def notes_on(held: Mapping[str, str]) -> dict[str, str]:
    """The same as the choices of places say it."""
    return {value: f": has {text}" for value, text in held.items()}


def _value(row: Assignment) -> str:
    """As PlaceOption has it."""
    for scope, place_id in (("agent", row.agent_id), ("office", row.office_id), ("workspace", row.workspace_id)):
        if place_id is not None:
            return f"{scope}:{place_id.hex}"
    return TENANT


def _key(row: Assignment, last_four: str) -> str:
    return f"“{row.credential.name}” (…{last_four})" if row.credential is not None else PLATFORM_KEY
