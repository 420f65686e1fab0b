"""Recorded events one by one, in pages."""

from uuid import UUID

from billing.usage.models import UsageEvent


def events_of(
    *, account_id: UUID, limit: int, before: UUID | None = None, workspace_id: UUID | None = None
) -> list[UsageEvent]:
    """Events of an account, the latest recorded first, older than the event `before`."""
    events = UsageEvent.objects.filter(account_id=account_id)
    if workspace_id is not None:
        events = events.filter(workspace_id=workspace_id)
    if before is not None:
        events = events.filter(id__lt=before)
    return list(events.order_by("-id")[:limit])
