"""Reading gauges: what an account's workspaces hold now, agents and knowledge-base bytes."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q, Sum

from billing.usage.models import KnowledgeSource
from tenants.models import Agent

Position = tuple[datetime, UUID]
"""Where a page ends: when its last row was created, and the row's id."""


def live_agents(account_id: UUID) -> int:
    """Agents that are not retired, over all workspaces that the account pays for."""
    return Agent.objects.filter(workspace__billing__account_id=account_id, retired_at=None).count()


def stored_bytes(account_id: UUID) -> int:
    """Bytes of the knowledge-base sources that are not removed, over all workspaces that the account pays for."""
    sources = KnowledgeSource.objects.filter(workspace__billing__account_id=account_id, removed_at=None)
    return int(sources.aggregate(total=Sum("bytes"))["total"] or 0)


def agents_of(*, workspace_id: UUID, limit: int, before: Position | None = None) -> list[Agent]:
    """A workspace's live agents with their offices, the newest first, older than the position `before`."""
    agents = Agent.objects.filter(_older_than(before), workspace_id=workspace_id, retired_at=None)
    return list(agents.select_related("office").order_by("-created_at", "-id")[:limit])


def sources_of(*, workspace_id: UUID, limit: int, before: Position | None = None) -> list[KnowledgeSource]:
    """A workspace's sources that are not removed, the newest first, older than the position `before`."""
    sources = KnowledgeSource.objects.filter(_older_than(before), workspace_id=workspace_id, removed_at=None)
    return list(sources.order_by("-created_at", "-id")[:limit])


def _older_than(before: Position | None) -> Q:
    if before is None:
        return Q()
    at, last = before
    return Q(created_at__lt=at) | Q(created_at=at, id__lt=last)
