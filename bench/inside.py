"""What runs in a process with the product's settings: filling, folding, reading and closing without HTTP."""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils.timezone import now

from bench import fill as accounts
from billing.core.periods import Period
from billing.invoices.models import BillingCycle, Invoice
from billing.invoices.services.close_due_cycles import close_due_cycles, open_first_cycles
from billing.usage.queries import meter_readings
from billing.usage.services.flush_rollups import flush_all_rollups

READINGS = 400
# One event of each of some accounts, of those that history has made.
_KNOWN = """
    SELECT a.id, e.id, e.period_start
      FROM (SELECT id FROM billing_subscriptions_billingaccount ORDER BY id LIMIT %s) AS a, LATERAL (
            SELECT id, period_start FROM billing_usage_usageevent AS e
             WHERE e.account_id = a.id AND e.agent LIKE 'agent-%%' ORDER BY e.id DESC LIMIT 1) AS e
"""
_ONE_EVENT = "SELECT product, quantity, cost FROM billing_usage_usageevent WHERE account_id = %s AND id = %s"


def fill() -> str:
    """Accounts; answers an API key for all of them."""
    return accounts.fill(now())


def fold() -> int:
    """What the worker does; answers how many deltas it folded."""
    return flush_all_rollups()


def reading() -> dict[str, float]:
    """Medians, in milliseconds, of reading a period's meters and of reading one event by its primary key, in turns."""
    meters, single = [], []
    for account_id, event_id, start in _rows(_KNOWN, [READINGS]):
        meters.append(_timed(meter_readings, account_id=account_id, period=Period(start, start + timedelta(days=28))))
        single.append(_timed(_rows, _ONE_EVENT, [account_id, event_id]))
    return {"meters": statistics.median(meters), "single": statistics.median(single)}


def open_cycles() -> int:
    """The first cycle of each account; answers how many."""
    return open_first_cycles()


def closing() -> dict[str, float]:
    """Close every account's oldest open cycle in one run: seconds, cycles, invoices, and what they list."""
    waiting = BillingCycle.objects.exclude(state=BillingCycle.State.CLOSED)
    at = max(waiting.values_list("ends_at", flat=True)) + timedelta(hours=2)
    before, began = Invoice.objects.count(), time.perf_counter()
    closed = close_due_cycles(at=at, limit=waiting.count())
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "closed": closed, "invoices": Invoice.objects.count() - before}


def _rows(query: str, values: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        rows: list[Any] = cursor.fetchall()
    return rows


def _timed(call: Callable[..., object], *values: Any, **named: Any) -> float:
    began = time.perf_counter()
    call(*values, **named)
    return (time.perf_counter() - began) * 1e3
