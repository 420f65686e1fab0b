"""What the usage pages read beside the readings: names, the latest usage, one session's events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Max, Min, Q, QuerySet

from billing.core.ids import InvalidId, decode_id
from billing.core.periods import Period
from billing.usage.models import PeriodRollup, UsageDelta, UsageEvent
from tenants.models import Agent, Office, Workspace

_AGENT = "agt"  # prefix of a registered agent's public id


@dataclass(frozen=True, slots=True)
class SessionSpan:
    """When a session was first and last heard of in a period, and the offices and agents that took part."""

    first_at: datetime
    last_at: datetime
    offices: list[str]
    agents: list[str]


def tenant_workspace(*, tenant_id: UUID, slug: str) -> Workspace | None:
    """A workspace of the tenant, whichever account pays for it now."""
    return Workspace.objects.filter(tenant_id=tenant_id, slug=slug).first()


def workspaces_by_id(tenant_id: UUID) -> dict[UUID, Workspace]:
    """All of the tenant's: usage of the past may name one that another account pays for by now."""
    return {workspace.id: workspace for workspace in Workspace.objects.filter(tenant_id=tenant_id)}


def office_names(tenant_id: UUID) -> Mapping[tuple[UUID, str], str]:
    """The names of the tenant's offices by workspace and slug, which is what events call them."""
    offices = Office.objects.filter(workspace__tenant_id=tenant_id)
    return {(office.workspace_id, office.slug): office.name for office in offices}


def agent_names(tenant_id: UUID, texts: Iterable[str]) -> Mapping[str, str]:
    """The names of registered agents by public id, for those of the texts that are one of the tenant's agents."""
    ids = {_agent_id(text): text for text in texts}
    agents = Agent.objects.filter(workspace__tenant_id=tenant_id, id__in=[one for one in ids if one is not None])
    return {ids[agent.id]: agent.name for agent in agents}


def _agent_id(text: str) -> UUID | None:
    try:
        return decode_id(_AGENT, text)
    except InvalidId:
        return None


def last_used_period(account_id: UUID) -> datetime | None:
    """Start of the latest period with usage, folded or not; None where there never was any."""
    folded = PeriodRollup.objects.filter(account_id=account_id).aggregate(latest=Max("period_start"))["latest"]
    waiting = UsageDelta.objects.filter(account_id=account_id).aggregate(latest=Max("period_start"))["latest"]
    return max(filter(None, [folded, waiting]), default=None)


def _session_events(account_id: UUID, period: Period, workspace_id: UUID, session: str) -> QuerySet[UsageEvent]:
    """Found by the index on sessions. The condition on empty names is what that index has."""
    events = UsageEvent.objects.filter(~Q(session=""), account_id=account_id, session=session)
    return events.filter(workspace_id=workspace_id, period_start=period.start)


def session_span(*, account_id: UUID, period: Period, workspace_id: UUID, session: str) -> SessionSpan | None:
    """None where the account has no such session in the period."""
    found = _session_events(account_id, period, workspace_id, session).aggregate(
        first=Min("occurred_at"),
        last=Max("occurred_at"),
        offices=ArrayAgg("office", distinct=True, filter=~Q(office=""), default=[]),
        agents=ArrayAgg("agent", distinct=True, filter=~Q(agent=""), default=[]),
    )
    if found["first"] is None:
        return None
    return SessionSpan(found["first"], found["last"], found["offices"], found["agents"])


def session_events(
    *, account_id: UUID, period: Period, workspace_id: UUID, session: str, limit: int, before: UUID | None = None
) -> list[UsageEvent]:
    """The session's events, the latest recorded first, older than the event `before`."""
    events = _session_events(account_id, period, workspace_id, session)
    if before is not None:
        events = events.filter(id__lt=before)
    return list(events.order_by("-id")[:limit])
