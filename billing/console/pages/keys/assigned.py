"""Assignments as the pages show them: a line for the models of a provider that a place has on one key (K4, K7)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from django.db.models import prefetch_related_objects

from billing.console.pages.keys.cards import provider_name
from billing.console.pages.keys.places import PlaceOption, place_of
from tenants.models import Tenant
from vault.models import Assignment
from vault.queries import assignments_of


@dataclass(frozen=True, slots=True)
class AssignedLine:
    """`models` is empty for all of the provider's; `credential_id` is None for the platform's key, on purpose."""

    place: PlaceOption
    provider: str
    models: Sequence[str]
    credential_id: UUID | None

    @property
    def provider_name(self) -> str:
        return provider_name(self.provider)

    @property
    def sample(self) -> str:
        """A model that the line is for, as a run would name it."""
        return self.models[0] if self.models else ""


def assigned_lines(tenant: Tenant) -> list[AssignedLine]:
    """All of the tenant's, by place as they were made, then by provider; two queries."""
    rows = assignments_of(tenant.id)
    prefetch_related_objects(rows, "agent__office")
    ordered = sorted(rows, key=_key)
    return [_line(list(group), tenant) for _, group in groupby(ordered, key=_key)]


def lines_of(lines: Iterable[AssignedLine], credential_id: UUID) -> list[AssignedLine]:
    """Where a key is used."""
    return [line for line in lines if line.credential_id == credential_id]


def _key(row: Assignment) -> tuple[str, ...]:
    """Rows of one line are equal in this; the line for all models comes after those for some."""
    place = (row.workspace_id, row.office_id, row.agent_id)
    return (*map(str, place), row.provider, "" if row.model else "all", str(row.credential_id))


def _line(rows: Sequence[Assignment], tenant: Tenant) -> AssignedLine:
    first = rows[0]
    models = sorted(row.model for row in rows if row.model)
    return AssignedLine(place_of(first, tenant), first.provider, models, first.credential_id)
