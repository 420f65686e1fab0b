"""Where keys are assigned: a tenant, one of its workspaces, or an office or agent of a workspace (K4)."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from tenants.models import Agent, Office, Workspace
from vault.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class AssignedPlace:
    """None of the three: the whole tenant. An office or an agent stands together with its workspace, never both."""

    workspace_id: UUID | None = None
    office_id: UUID | None = None
    agent_id: UUID | None = None

    @property
    def columns(self) -> dict[str, UUID | None]:
        """As an assignment names it."""
        return {"workspace_id": self.workspace_id, "office_id": self.office_id, "agent_id": self.agent_id}

    def as_condition(self) -> Q:
        """The place's own assignments."""
        return Q(**self.columns)

    def to_json(self) -> dict[str, str | None]:
        """As the audit log tells it."""
        return {name.removesuffix("_id"): str(place) for name, place in self.columns.items() if place is not None}


def check_place(tenant_id: UUID, place: AssignedPlace) -> None:
    """Raises InvalidValue for what is no place of the tenant."""
    if place.office_id is not None and place.agent_id is not None:
        raise InvalidValue("place", "Name an office or an agent, not both.")
    if place.workspace_id is None:
        if place.office_id is not None or place.agent_id is not None:
            raise InvalidValue("workspace", "An office or agent is named together with its workspace.")
        return
    if not Workspace.objects.filter(tenant_id=tenant_id, id=place.workspace_id).exists():
        raise InvalidValue("workspace", "There is no such workspace.")
    if place.office_id and not Office.objects.filter(workspace_id=place.workspace_id, id=place.office_id).exists():
        raise InvalidValue("office", "The workspace has no such office.")
    if place.agent_id and not Agent.objects.filter(workspace_id=place.workspace_id, id=place.agent_id).exists():
        raise InvalidValue("agent", "The workspace has no such agent.")
