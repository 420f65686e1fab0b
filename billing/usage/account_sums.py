"""What all periods of an account sum up to: what its invoices are made from (I1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from billing.usage.models.rollup import SUMS
from billing.usage.queries import METER, Metered, metered_columns

_KEY = ("period_start", *METER[1:])
# Rollups, and the deltas that no worker has folded yet: exact at once. One snapshot sees a delta on one side only.
_PERIODS = f"""
    SELECT {", ".join(_KEY)}, {", ".join(f"sum({name})" for name in SUMS)} FROM (
        SELECT {", ".join([*_KEY, *SUMS])} FROM billing_usage_periodrollup
         WHERE account_id = %(account)s AND period_start < %(before)s
        UNION ALL
        SELECT {", ".join([*_KEY, *SUMS])} FROM billing_usage_usagedelta
         WHERE account_id = %(account)s AND period_start < %(before)s
    ) AS meters GROUP BY {", ".join(_KEY)} ORDER BY {", ".join(_KEY)}
"""
_EVENTS = f"""
    SELECT funding, {", ".join(_KEY)},
           sum(CASE WHEN product <> 'llm' THEN 0 WHEN reverses_id IS NULL THEN 1 ELSE -1 END),
           {", ".join(f"sum({name})" for name in SUMS[1:])}
      FROM billing_usage_usageevent WHERE account_id = %(account)s AND period_start = %(start)s
     GROUP BY funding, {", ".join(_KEY)} ORDER BY funding, {", ".join(_KEY)}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSum(Metered):
    """What the account used in a period, in all its workspaces."""

    period_start: datetime


def account_sums(account_id: UUID, *, before: datetime) -> Iterator[AccountSum]:
    """The sums of the periods that began before an instant, in order, in one query whatever number of events (U4)."""
    with connection.cursor() as cursor:
        cursor.execute(_PERIODS, {"account": account_id, "before": before})
        rows = cursor.fetchall()
    yield from (_sum(row) for row in rows)


def event_sums(account_id: UUID, *, period_start: datetime) -> Iterator[tuple[AccountSum, str]]:
    """The same of one period from its events, by who pays; its time grows with the events."""
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, {"account": account_id, "start": period_start})
        rows = cursor.fetchall()
    yield from ((_sum(row[1:]), row[0]) for row in rows)


def _sum(row: tuple[Any, ...]) -> AccountSum:
    period_start, *metered = row
    return AccountSum(period_start=period_start, **metered_columns(metered))
