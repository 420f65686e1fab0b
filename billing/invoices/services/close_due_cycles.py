from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction

from billing.invoices.cycles import first_cycle, outdated_cycles
from billing.invoices.models import BillingCycle
from billing.invoices.services.close_cycle import close_cycle, refresh_end
from billing.subscriptions.models import BillingAccount

_log = structlog.get_logger(__name__)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
_MOST_DOUBLINGS = 12


def close_due_cycles(*, at: datetime, account_id: UUID | None = None, limit: int = 1000) -> int:
    """Close the cycles that have ended an hour ago, each account's one after the other; answers how many (I1).

    Of all accounts, or of one, whose cycle need only have ended. An account that cannot be closed keeps the reason, is
    tried again with growing waits, and holds up no other. Several schedulers may do so at once.
    """
    open_first_cycles(account_id=account_id)
    refresh_ends(account_id=account_id)
    closed = 0
    while batch := _due(at, account_id, limit - closed):
        done = sum(_close(cycle_id, at) for cycle_id in batch)
        closed += done
        if not done or closed >= limit:
            break
    return closed


def open_first_cycles(*, account_id: UUID | None = None) -> int:
    """Give accounts that have none yet their first cycle; answers how many."""
    accounts = BillingAccount.objects.filter(cycles__isnull=True, subscriptions__isnull=False).distinct()
    chosen = accounts if account_id is None else accounts.filter(id=account_id)
    cycles = [cycle for account in chosen if (cycle := first_cycle(account)) is not None]
    BillingCycle.objects.bulk_create(cycles, ignore_conflicts=True)  # another scheduler's are as good
    return len(cycles)


def refresh_ends(*, account_id: UUID | None = None) -> int:
    """Read the ends of running cycles again whose accounts have changed; answers how many."""
    outdated = outdated_cycles(account_id)
    for cycle_id in outdated:
        with transaction.atomic():
            running = BillingCycle.objects.select_for_update(skip_locked=True, of=("self",))
            cycle = running.select_related("account").filter(id=cycle_id, state=BillingCycle.State.OPEN).first()
            if cycle is not None:
                refresh_end(cycle, cycle.account)
                cycle.save()
    return len(outdated)


def _due(at: datetime, account_id: UUID | None, limit: int) -> list[UUID]:
    cycles = BillingCycle.objects.exclude(state=BillingCycle.State.CLOSED)
    due = cycles.filter(due_at__lte=at) if account_id is None else cycles.filter(account_id=account_id, ends_at__lte=at)
    return list(due.order_by("due_at").values_list("id", flat=True)[: max(limit, 0)])


def _close(cycle_id: UUID, at: datetime) -> bool:
    """Whether it was closed by this call."""
    try:
        with transaction.atomic():
            return close_cycle(cycle_id=cycle_id, at=at)
    except (ValueError, ArithmeticError, LookupError, DatabaseError) as error:
        _log.exception("cycle_not_closed", cycle=str(cycle_id), error=type(error).__name__)
        _put_off(cycle_id, at, f"{type(error).__name__}: {error}")
        return False


def _put_off(cycle_id: UUID, at: datetime, reason: str) -> None:
    with transaction.atomic():
        cycle = BillingCycle.objects.select_for_update().get(id=cycle_id)
        wait = min(_FIRST_WAIT * (1 << min(cycle.tries, _MOST_DOUBLINGS)), _LONGEST_WAIT)
        cycle.tries, cycle.due_at, cycle.error = min(cycle.tries + 1, 30_000), at + wait, reason[:300]
        cycle.save(update_fields=["tries", "due_at", "error"])
