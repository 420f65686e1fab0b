from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from billing.credits.models import LedgerAccount
from billing.subscriptions.models import BillingAccount
from billing.usage.counter_figures import COUNTER_CORRECTION
from billing.usage.differences import differences_of
from billing.usage.figures import OF_ACCOUNT, ROLLUPS
from billing.usage.models import UsageWatch


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many periods and events were gone through, and what was wrong before, a line for each figure."""

    periods: int
    events: int
    differences: list[str] = field(default_factory=list)


@transaction.atomic
def rebuild_rollups(*, account_id: UUID, period_start: datetime | None, at: datetime) -> Rebuilt:
    """Make an account's rollups, and what its counters have used, again from its events: of the period that begins at
    `period_start`, or of all (U4).

    Usage of the account waits until this is done, and folding of everybody's; readings go on, and see the figures of
    before until then. Raises BillingAccount.DoesNotExist.
    """
    account = BillingAccount.objects.get(id=account_id)
    LedgerAccount.objects.select_for_update(no_key=True).get(id=account.credits_id)
    values = {"account": account_id, "start": period_start}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7301)")
        differences = differences_of(account_id=account_id, period_start=period_start)
        cursor.execute(f"DELETE FROM billing_usage_usagedelta WHERE {OF_ACCOUNT}", values)
        for rollup in ROLLUPS.values():
            cursor.execute(rollup.deletion, values)
            cursor.execute(rollup.insertion, values)
        cursor.execute(COUNTER_CORRECTION, values)
    if differences:
        UsageWatch.objects.bulk_create([UsageWatch(account_id=account_id, touched_at=at)], ignore_conflicts=True)
    return Rebuilt(*_extent(values), differences)


def _extent(values: dict[str, Any]) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(DISTINCT period_start), count(*) FROM billing_usage_usageevent WHERE {OF_ACCOUNT}", values
        )
        periods, events = cursor.fetchall()[0]
    return periods, events
