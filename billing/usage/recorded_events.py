"""Recorded events one by one, in pages."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from billing.core.periods import Period
from billing.usage.models import UsageEvent

SCAN = 10_000  # events that a page looks through at most


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events; None is any."""

    workspace_id: UUID | None = None
    period: Period | None = None
    session: str | None = None
    agent: str | None = None
    product: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class EventsPage:
    """Events, and the one that the next page comes after; None at the end. A page may be short, or empty, before."""

    events: list[UsageEvent]
    after: UUID | None


def events_page(*, account_id: UUID, wanted: EventFilter, limit: int, before: UUID | None = None) -> EventsPage:
    """Events of an account, the latest recorded first, older than the event `before`; one query or two.

    Indexes lead to a session's and to a period's events. By workspace, agent, product and model a page picks from the
    next SCAN of those, so that what is rare never makes a page read all that there is.
    """
    known = UsageEvent.objects.filter(account_id=account_id).order_by("-id")
    if before is not None:
        known = known.filter(id__lt=before)
    if wanted.session is not None:
        known = known.filter(session=wanted.session).exclude(session="")  # the index knows no events without one
    elif wanted.period is not None:
        known = known.filter(period_start=wanted.period.start)
    picked = _picked(known, wanted)
    floor = None if picked is known else known.values_list("id", flat=True)[SCAN - 1 : SCAN].first()
    if floor is not None:
        picked = picked.filter(id__gte=floor)
    events = list(picked[: limit + 1])
    return EventsPage(events[:limit], events[limit - 1].id if len(events) > limit else floor)


def _picked(known: QuerySet[UsageEvent], wanted: EventFilter) -> QuerySet[UsageEvent]:
    asked = {
        "workspace_id": wanted.workspace_id,
        "period_start": wanted.period.start if wanted.period is not None and wanted.session is not None else None,
        "agent": wanted.agent,
        "product": wanted.product,
        "model": wanted.model,
    }
    picking = {name: value for name, value in asked.items() if value is not None}
    return known.filter(**picking) if picking else known
