"""The usage page: a period's cost by day, model and product."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from billing.core.periods import Period, period_containing
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import subscription_at
from billing.usage.queries import DayReading, daily_readings, meter_readings
from billing.usage.sums import ModelRow, ProductRow, Totals, daily_of, models_of, products_of, totals_of

CURRENT, PREVIOUS = "current", "previous"


@dataclass(frozen=True, slots=True)
class UsagePage:
    """Amounts in `currency` at nine decimals; `period` in UTC. The filters are as the address has them."""

    period: Period
    period_filter: str
    workspace_filter: str
    currency: str
    totals: Totals
    daily: Sequence[DayReading]
    by_product: Sequence[ProductRow]
    by_model: Sequence[ModelRow]
    models_cost: Decimal
    at: datetime


def usage_page(
    account: BillingAccount,
    at: datetime,
    *,
    period_filter: str = CURRENT,
    workspace_filter: str = "",
    workspace_id: UUID | None = None,
) -> UsagePage:
    """What the account used in its current or previous period, of one workspace or of all. Raises NoActivePlan."""
    period = _period(account.id, at, period_filter)
    readings = meter_readings(account_id=account.id, period=period, workspace_id=workspace_id)
    days = daily_readings(account_id=account.id, period=period, workspace_id=workspace_id)
    by_model = models_of(readings)
    return UsagePage(
        period=period,
        period_filter=period_filter,
        workspace_filter=workspace_filter,
        currency=account.currency,
        totals=totals_of(readings),
        daily=daily_of(days, period, at),
        by_product=products_of(readings),
        by_model=by_model,
        models_cost=sum((row.cost for row in by_model), start=Decimal(0)),
        at=at,
    )


def _period(account_id: UUID, at: datetime, period_filter: str) -> Period:
    anchor = subscription_at(account_id, at).anchor
    current = period_containing(anchor, at)
    if period_filter == CURRENT:
        return current
    before = current.start - timedelta(microseconds=1)
    with suppress(NoActivePlan):
        # A change of plan may have moved the anchor: what ran before it lies in the old plan's period.
        anchor = subscription_at(account_id, before).anchor
    return period_containing(anchor, before)
