from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, QuerySet

from billing.stripe_sync.client import is_configured
from billing.stripe_sync.errors import is_gone, is_outage, told
from billing.stripe_sync.handlers import Work, do_work, works_of
from billing.stripe_sync.models import InboxEvent

_log = structlog.get_logger(__name__)
BACK_OFF = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
"""How long after each try that failed the next one is due; after the last the event is given up."""

MOST_TRIES = len(BACK_OFF) + 1
_LEASE = timedelta(minutes=5)  # in which a worker is done with what it took, or dead
_OUTAGE_PAUSE = timedelta(minutes=1)
_State = InboxEvent.State


def work_inbox(*, at: datetime, limit: int = 100) -> int:
    """Work through the events that are due, oldest due first; answers how many were settled (S4).

    What is about one customer is taken together and read once. Several workers share the work. An event that fails is
    tried again later and given up at last; while Stripe is away all of them wait, and no try is counted.
    """
    settled = 0
    while settled < limit and is_configured():
        events = _take(at, limit=limit)
        if not events:
            break
        done, is_away = _work(events, at)
        settled += done
        if is_away:
            break
    return settled


@transaction.atomic
def _take(at: datetime, *, limit: int) -> list[InboxEvent]:
    """The event that is due longest, with all others about the same that are due: leased, so that no lock is held.

    A worker that dies leaves its try counted and its lease to run out; the last such try gives the event up.
    """
    due = InboxEvent.objects.filter(state=_State.PENDING, due_at__lte=at).order_by("due_at", "id")
    first = due.select_for_update(skip_locked=True).first()
    if first is None:
        return []
    events = [first]
    if first.customer_id:
        same = due.filter(customer_id=first.customer_id).exclude(id=first.id)
        events += same.select_for_update(skip_locked=True)[: limit - 1]
    for event in events:
        event.tries += 1
        event.due_at = at + _LEASE
        if event.tries > MOST_TRIES:
            event.state, event.error = _State.FAILED, "The worker died of it each time."
    InboxEvent.objects.bulk_update(events, ["tries", "due_at", "state", "error"])
    return events


def _work(events: Sequence[InboxEvent], at: datetime) -> tuple[int, bool]:
    """Read what the events are about; answers how many are settled, and whether Stripe is away."""
    wanted = {event.id: works_of(event) for event in events if event.state == _State.PENDING}
    failures: dict[Work, Exception] = {}
    ours: set[Work] = set()
    for work in sorted(set().union(*wanted.values())):
        try:
            if do_work(work, at=at):
                ours.add(work)
        except Exception as error:
            if is_gone(error):
                ours.add(work)  # there is nothing left to read
            elif is_outage(error):
                _wait(events, error, at)
                return 0, True
            else:
                _log.warning("stripe_event_failed", kind=work.kind, key=work.key, error=told(error))
                failures[work] = error
    return sum(_settle(event, wanted.get(event.id, ()), ours, failures, at=at) for event in events), False


def _settle(
    event: InboxEvent, works: Iterable[Work], ours: set[Work], failures: dict[Work, Exception], *, at: datetime
) -> bool:
    """Write down what became of an event; whether nothing is left to do for it."""
    failed = [failures[work] for work in works if work in failures]
    if failed:
        _postpone(event, failed[0], at)
        return False
    state = _State.DONE if any(work in ours for work in works) else _State.IGNORED
    _leased(event).update(state=state, processed_at=at, error="")
    return True


def _postpone(event: InboxEvent, error: Exception, at: datetime) -> None:
    if event.tries >= MOST_TRIES:
        _leased(event).update(state=_State.FAILED, processed_at=at, error=told(error))
    else:
        _leased(event).update(due_at=at + BACK_OFF[event.tries - 1], error=told(error))


def _wait(events: Iterable[InboxEvent], error: Exception, at: datetime) -> None:
    """Stripe is away, which is no fault of these events."""
    for event in events:
        _leased(event).update(due_at=at + _OUTAGE_PAUSE, tries=F("tries") - 1, error=told(error))


def _leased(event: InboxEvent) -> QuerySet[InboxEvent]:
    """The event as this worker took it: not one that was put back for a replay, or taken by another, meanwhile."""
    return InboxEvent.objects.filter(id=event.id, state=_State.PENDING, due_at=event.due_at)
