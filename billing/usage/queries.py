"""Reading usage: a period's sums by day, product and model, whatever number of events they come from."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from billing.core.periods import Period
from billing.usage.models import Counter, UsageEvent
from billing.usage.models.rollup import SUMS

_GROUPS = ("day", "product", "unit", "provider", "model", "credential_source")
_COLUMNS = ", ".join([*_GROUPS, *SUMS])
# Rollups, and the deltas that no worker has folded yet: exact at once. One snapshot sees a delta on one side only.
_METERS = f"""
    SELECT {", ".join(_GROUPS)}, {", ".join(f"sum({name})" for name in SUMS)} FROM (
        SELECT {_COLUMNS} FROM billing_usage_usagerollup
         WHERE account_id = %(account)s AND period_start = %(start)s
           AND (%(workspace)s::uuid IS NULL OR workspace_id = %(workspace)s::uuid)
        UNION ALL
        SELECT {_COLUMNS} FROM billing_usage_usagedelta
         WHERE account_id = %(account)s AND period_start = %(start)s
           AND (%(workspace)s::uuid IS NULL OR workspace_id = %(workspace)s::uuid)
    ) AS meters GROUP BY {", ".join(_GROUPS)} ORDER BY {", ".join(_GROUPS)}
"""


@dataclass(frozen=True, slots=True)
class MeterReading:
    """What a day used of a product and, for model usage, of a model on one kind of key."""

    day: date
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


def period_readings(*, account_id: UUID, period: Period, workspace_id: UUID | None = None) -> list[MeterReading]:
    """A period's readings in one query; rows grow with days, products and models, not with events (U4)."""
    with connection.cursor() as cursor:
        cursor.execute(_METERS, {"account": account_id, "start": period.start, "workspace": workspace_id})
        return [_reading(row) for row in cursor.fetchall()]


def _reading(row: tuple[Any, ...]) -> MeterReading:
    # Sums of whole numbers come back as decimals.
    day, product, unit, provider, model, credential_source, requests, quantity, fresh, output, cached, cost = row
    return MeterReading(
        day=day,
        product=product,
        unit=unit,
        provider=provider,
        model=model,
        credential_source=credential_source,
        requests=int(requests),
        quantity=quantity,
        input_tokens=int(fresh),
        output_tokens=int(output),
        cached_input_tokens=int(cached),
        cost=cost,
    )


def metered_quantity(account_id: UUID, product: str, period_start: datetime) -> Decimal:
    """What a period has used of a product, in its unit."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT COALESCE(sum(quantity), 0) FROM (
                SELECT quantity FROM billing_usage_usagerollup
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


def rollup_lag(at: datetime) -> float:
    """Seconds since the oldest delta that no worker has folded was recorded; zero if there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT recorded_at FROM billing_usage_usagedelta ORDER BY id LIMIT 1")
        row = cursor.fetchone()
    return max(0.0, (at - row[0]).total_seconds()) if row else 0.0


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
