"""Reading usage: a period's sums, whatever number of events they come from (U4).

Each reading is one query of rollups and of the deltas that no worker has folded yet: exact at once, because one
snapshot sees a delta on one side only. Rows read grow with workspaces, products, models, offices and agents, and with
what waits for the worker, never with what there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from billing.core.periods import Period
from billing.usage.models import Counter, UsageEvent
from billing.usage.models.rollup import PLACE_SUMS, SUMS

WHERE = """account_id = %(account)s AND period_start = %(start)s
           AND (%(workspace)s::uuid IS NULL OR workspace_id = %(workspace)s::uuid)"""
WHOLE = ("requests", "input_tokens", "output_tokens", "cached_input_tokens")
METER = ("workspace_id", "product", "unit", "provider", "model", "credential_source")
_METERS = f"""
    SELECT {", ".join(METER)}, {", ".join(f"sum({name})" for name in SUMS)} FROM (
        SELECT {", ".join([*METER, *SUMS])} FROM billing_usage_periodrollup WHERE {WHERE}
        UNION ALL
        SELECT {", ".join([*METER, *SUMS])} FROM billing_usage_usagedelta WHERE {WHERE}
    ) AS meters GROUP BY {", ".join(METER)} ORDER BY {", ".join(METER)}
"""
_DAYS = f"""
    SELECT day, sum(cost), COALESCE(sum(cost) FILTER (WHERE credential_source = 'byok'), 0), sum(requests) FROM (
        SELECT day, cost, credential_source, requests FROM billing_usage_usagerollup WHERE {WHERE}
        UNION ALL
        SELECT day, cost, credential_source, requests FROM billing_usage_usagedelta WHERE {WHERE}
    ) AS meters GROUP BY day ORDER BY day
"""
_PLACE = ("workspace_id", "office", "agent")
# The account is named twice, so that only the partition of its events is looked at.
WAITING_EVENTS = f"""
    SELECT e.* FROM quaestor_events_of_deltas(ARRAY(SELECT id FROM billing_usage_usagedelta WHERE {WHERE})) AS e
     WHERE e.account_id = %(account)s
"""
_PLACES = f"""
    SELECT {", ".join(_PLACE)}, {", ".join(f"sum({name}) AS {name}" for name in PLACE_SUMS)} FROM (
        SELECT {", ".join([*_PLACE, *PLACE_SUMS])} FROM billing_usage_placerollup WHERE {WHERE}
        UNION ALL
        SELECT {", ".join([*_PLACE, *PLACE_SUMS])} FROM ({WAITING_EVENTS}) AS waiting
    ) AS places GROUP BY {", ".join(_PLACE)} ORDER BY cost DESC, {", ".join(_PLACE)}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """What was used of a product and, for model usage, of a model on one kind of key.

    `cost` is in the account's currency; that of own keys is not billed (U7).
    """

    product: str
    unit: str
    provider: str
    model: str
    credential_source: str
    requests: int
    quantity: Decimal
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReading(Metered):
    """What a workspace used in a period."""

    workspace_id: UUID


@dataclass(frozen=True, slots=True)
class DayReading:
    """What a UTC day of a period came to. `own_key_cost` is the part of `cost` that is not billed (U7)."""

    day: date
    cost: Decimal
    own_key_cost: Decimal
    requests: int


@dataclass(frozen=True, slots=True)
class PlaceReading:
    """What was used in a place, all products together; empty names are usage that named none."""

    workspace_id: UUID
    office: str
    agent: str
    requests: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost: Decimal
    own_key_cost: Decimal


@dataclass(frozen=True, slots=True)
class Lag:
    """Deltas that no worker has folded yet, and the age of the oldest in seconds. Readings count them in."""

    waiting: int
    seconds: float


def meter_readings(*, account_id: UUID, period: Period, workspace_id: UUID | None = None) -> list[MeterReading]:
    """What totals, products, models, workspaces and invoices of a period are summed from."""
    rows = _rows(_METERS, account_id, period, workspace_id)
    return [meter_reading(row) for row in rows]


def meter_reading(row: tuple[Any, ...]) -> MeterReading:
    """A row of the reading's columns in their order."""
    workspace_id, *metered = row
    return MeterReading(workspace_id=workspace_id, **metered_columns(metered))


def metered_columns(row: Sequence[Any]) -> dict[str, Any]:
    """The columns of `Metered` by name; sums of whole numbers come from the database as decimals."""
    columns = dict(zip((*METER[1:], *SUMS), row, strict=True))
    return columns | {name: int(columns[name]) for name in WHOLE}


def daily_readings(*, account_id: UUID, period: Period, workspace_id: UUID | None = None) -> list[DayReading]:
    """The days of a period on which anything was used, in order."""
    rows = _rows(_DAYS, account_id, period, workspace_id)
    return [DayReading(day, cost, own, int(requests)) for day, cost, own, requests in rows]


def place_readings(*, account_id: UUID, period: Period, workspace_id: UUID | None = None) -> list[PlaceReading]:
    """What each agent of each office used in a period, the costliest first.

    Deltas do not say where their usage ran: the events that they name are looked up by their ids.
    """
    return [_place(row) for row in _rows(_PLACES, account_id, period, workspace_id)]


def _place(row: tuple[Any, ...]) -> PlaceReading:
    workspace_id, office, agent, requests, fresh, output, cached, cost, own = row
    return PlaceReading(workspace_id, office, agent, int(requests), int(fresh), int(output), int(cached), cost, own)


def _rows(query: str, account_id: UUID, period: Period, workspace_id: UUID | None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"account": account_id, "start": period.start, "workspace": workspace_id})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def metered_quantity(account_id: UUID, product: str, period_start: datetime) -> Decimal:
    """What a period has used of a product, in its unit."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT COALESCE(sum(quantity), 0) FROM (
                SELECT quantity FROM billing_usage_periodrollup
                 WHERE account_id = %(account)s AND period_start = %(start)s AND product = %(product)s
                UNION ALL
                SELECT quantity FROM billing_usage_usagedelta
                 WHERE account_id = %(account)s AND period_start = %(start)s AND product = %(product)s
            ) AS readings
            """,
            {"account": account_id, "start": period_start, "product": product},
        )
        row = cursor.fetchone()
    return row[0] if row else Decimal(0)


def counters_of(*, account_id: UUID, windows: dict[str, datetime]) -> dict[str, Decimal]:
    """Used and reserved amounts of account-wide counters, by feature, each in the window that starts then."""
    rows = Counter.objects.filter(
        account_id=account_id, subject="", feature__in=windows, window_start__in=set(windows.values())
    )
    taken = {row.feature: row.used + row.reserved for row in rows if row.window_start == windows[row.feature]}
    return {feature: taken.get(feature, Decimal(0)) for feature in windows}


def lag_of(account_id: UUID | None, at: datetime) -> Lag:
    """How far the worker is behind with an account's usage; with None, with everybody's."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), min(recorded_at) FROM billing_usage_usagedelta
             WHERE %(account)s::uuid IS NULL OR account_id = %(account)s::uuid
            """,
            {"account": account_id},
        )
        row = cursor.fetchone()
    waiting, oldest = row or (0, None)
    return Lag(waiting, 0.0 if oldest is None else max(0.0, (at - oldest).total_seconds()))


def reversal_of(event: UsageEvent) -> UsageEvent | None:
    """The event that takes it back (U3); one query."""
    return UsageEvent.objects.filter(account_id=event.account_id, reverses_id=event.id).first()
