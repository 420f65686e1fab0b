"""What people call the places that usage names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from billing.console.usage_queries import agent_names, office_names, workspaces_by_id
from tenants.models import Workspace

SEPARATOR = " › "
GONE = "A deleted workspace"


@dataclass(frozen=True, slots=True)
class Names:
    """A tenant's workspaces, offices and agents. What is not registered is called as the events call it."""

    workspaces: Mapping[UUID, Workspace]
    offices: Mapping[tuple[UUID, str], str]
    agents: Mapping[str, str]

    def workspace(self, workspace_id: UUID) -> str:
        found = self.workspaces.get(workspace_id)
        return found.name if found is not None else GONE

    def slug(self, workspace_id: UUID) -> str:
        """Empty for a workspace that is gone."""
        found = self.workspaces.get(workspace_id)
        return found.slug if found is not None else ""

    def office(self, workspace_id: UUID, office: str) -> str:
        return self.offices.get((workspace_id, office), office)

    def agent(self, agent: str) -> str:
        return self.agents.get(agent, agent)

    def path(self, workspace_id: UUID, office: str) -> str:
        """As in "Production › Support"."""
        named = [self.workspace(workspace_id), self.office(workspace_id, office)]
        return SEPARATOR.join(name for name in named if name)


def workspace_names(tenant_id: UUID) -> Names:
    """Names of workspaces alone, in one query."""
    return Names(workspaces_by_id(tenant_id), {}, {})


def place_names(tenant_id: UUID, agents: Iterable[str]) -> Names:
    """Names of all places, in three queries; of the agents, those of `agents` that are public ids."""
    return Names(workspaces_by_id(tenant_id), office_names(tenant_id), agent_names(tenant_id, agents))
