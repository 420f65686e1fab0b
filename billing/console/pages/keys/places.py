"""Where a key can be assigned: the organisation, a workspace, an office, an agent (K4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from uuid import UUID

from billing.console.key_texts import place_kind
from billing.console.queries import workspaces_of_tenant
from billing.core.ids import encode_id
from tenants.models import Agent, Office, Tenant, Workspace
from vault.models import Assignment
from vault.places import AssignedPlace
from vault.resolution import Place

MOST_AGENTS = 200  # in a list to choose from
SEPARATOR = " › "
TENANT = "tenant"

Choices = list[tuple[str, str | list[tuple[str, str]]]]


@dataclass(frozen=True, slots=True)
class PlaceOption:
    """A place: `value` is what forms send for it, `path` its name below its workspace's. `office` is an agent's."""

    scope: str
    name: str
    path: str
    workspace: Workspace | None = None
    office: Office | None = None
    agent: Agent | None = None

    @property
    def value(self) -> str:
        last = self.agent or self.office or self.workspace
        return f"{self.scope}:{last.id.hex}" if last is not None else TENANT

    @property
    def kind(self) -> str:
        return place_kind(self.scope)

    @property
    def is_retired(self) -> bool:
        return self.agent is not None and self.agent.retired_at is not None

    @property
    def assigned(self) -> AssignedPlace:
        """As the vault's services take it; an agent's office is not part of it."""
        return AssignedPlace(
            workspace_id=self.workspace.id if self.workspace is not None else None,
            office_id=self.office.id if self.office is not None and self.agent is None else None,
            agent_id=self.agent.id if self.agent is not None else None,
        )

    def run_place(self, tenant_id: UUID) -> Place:
        """As a run there would name it. A run of the tenant as a whole there is not: only its own rows decide."""
        return Place(
            workspace_id=self.workspace.id if self.workspace is not None else tenant_id,
            office=self.office.slug if self.office is not None else "",
            agent=encode_id("agt", self.agent.id) if self.agent is not None else "",
        )


@dataclass(frozen=True, slots=True)
class Places:
    """A tenant's places in the order of the tree; with `has_more` there are agents beyond the newest ones listed."""

    tenant_id: UUID
    options: Sequence[PlaceOption]
    has_more: bool

    def choices(self, *, with_tenant: bool, notes: Mapping[str, str] = MappingProxyType({})) -> Choices:
        """For a select: the tenant, then a group for each workspace; `notes` by value stand after the names."""
        groups: Choices = []
        if with_tenant:
            groups.append((TENANT, f"All of {self.options[0].name}{notes.get(TENANT, '')}"))
        for option in self.options[1:]:
            if option.scope == "workspace":
                groups.append((option.name, []))
            entries = groups[-1][1]
            if isinstance(entries, list):
                entries.append((option.value, f"{_label(option)}{notes.get(option.value, '')}"))
        return groups

    def find(self, value: str) -> PlaceOption | None:
        """What a form sent."""
        return next((option for option in self.options if option.value == value), None)

    def find_agent(self, agent_id: UUID) -> PlaceOption | None:
        """An agent of the tenant, listed or not, retired or not; one query."""
        return find_place(self.tenant_id, "", f"agent:{agent_id.hex}")

    def including(self, option: PlaceOption) -> "Places":
        """The same with one more at its workspace, where it is not listed: a retired agent has assignments too."""
        if self.find(option.value) is not None:
            return self
        index = next(i for i, other in enumerate(self.options) if other.workspace == option.workspace and i > 0)
        return replace(self, options=[*self.options[: index + 1], option, *self.options[index + 1 :]])


def places_of(tenant: Tenant) -> Places:
    """Everything a key can be assigned to; three queries."""
    workspaces = workspaces_of_tenant(tenant.id)
    offices = Office.objects.filter(workspace__tenant_id=tenant.id).order_by("name")
    live = Agent.objects.filter(workspace__tenant_id=tenant.id, retired_at=None)
    agents = list(live.select_related("office").order_by("-created_at")[: MOST_AGENTS + 1])
    shown = sorted(agents[:MOST_AGENTS], key=lambda agent: agent.name.casefold())
    options = [PlaceOption("tenant", tenant.name, tenant.name)]
    for workspace in workspaces:
        options.append(PlaceOption("workspace", workspace.name, workspace.name, workspace))
        options += [_office(workspace, office) for office in offices if office.workspace_id == workspace.id]
        options += [_agent(workspace, agent) for agent in shown if agent.workspace_id == workspace.id]
    return Places(tenant.id, options, has_more=len(agents) > MOST_AGENTS)


def find_place(tenant_id: UUID, tenant_name: str, value: str) -> PlaceOption | None:
    """The place of the tenant that a form's value names, a retired agent too; one query, none for the tenant."""
    scope, _, digits = value.partition(":")
    if value == TENANT:
        return PlaceOption("tenant", tenant_name, tenant_name)
    try:
        identity = UUID(hex=digits)
    except ValueError:
        return None
    match scope:
        case "workspace":
            workspace = Workspace.objects.filter(tenant_id=tenant_id, id=identity).first()
            return PlaceOption("workspace", workspace.name, workspace.name, workspace) if workspace else None
        case "office":
            offices = Office.objects.filter(workspace__tenant_id=tenant_id, id=identity).select_related("workspace")
            return next((_office(office.workspace, office) for office in offices), None)
        case "agent":
            agents = Agent.objects.filter(workspace__tenant_id=tenant_id, id=identity)
            return next((_agent(one.workspace, one) for one in agents.select_related("workspace", "office")), None)
    return None


def place_of(row: Assignment, tenant: Tenant) -> PlaceOption:
    """Where an assignment is; no query where its place is loaded, an agent's office with it."""
    if row.workspace is None:
        return PlaceOption("tenant", tenant.name, tenant.name)
    if row.agent is not None:
        return _agent(row.workspace, row.agent)
    if row.office is not None:
        return _office(row.workspace, row.office)
    return PlaceOption("workspace", row.workspace.name, row.workspace.name, row.workspace)


def _office(workspace: Workspace, office: Office) -> PlaceOption:
    return PlaceOption("office", office.name, f"{workspace.name}{SEPARATOR}{office.name}", workspace, office)


def _agent(workspace: Workspace, agent: Agent) -> PlaceOption:
    names = [workspace.name, agent.office.name if agent.office is not None else "", agent.name]
    path = SEPARATOR.join(name for name in names if name)
    return PlaceOption("agent", agent.name, path, workspace, agent.office, agent)


def _label(option: PlaceOption) -> str:
    if option.scope == "workspace":
        return f"All of {option.name}"
    inside = option.path.partition(SEPARATOR)[2]
    return f"{inside} (agent)" if option.scope == "agent" else f"{inside} (office)"
