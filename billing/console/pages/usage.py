"""The usage page: what a period came to, by day and cut by product, model, workspace, office or agent (U5, U7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.http import urlencode

from billing.console.pages.covered import covered_by_plan
from billing.console.pages.usage_breakdown import VIEWS, Breakdown, View, breakdown
from billing.console.pages.usage_choice import Choice
from billing.console.pages.usage_empty import Nothing, nothing_used
from billing.console.pages.usage_names import place_names, workspace_names
from billing.console.pages.usage_parts import (
    Part,
    agent_parts,
    model_parts,
    office_parts,
    product_parts,
    workspace_parts,
)
from billing.subscriptions.models import BillingAccount
from billing.usage.queries import DayReading, Lag, MeterReading, daily_readings, lag_of, meter_readings, place_readings
from billing.usage.sums import Totals, daily_of, totals_of

DEFAULT_VIEW = "model"


@dataclass(frozen=True, slots=True)
class UsagePage:
    """Amounts in `currency` at nine decimals; `billed` is the cost without what ran on own keys, and `covered` the part
    of it that the plan includes, None where only the events know.

    `nothing` says what is missing where the choice has no usage.
    """

    choice: Choice
    currency: str
    totals: Totals
    billed: Decimal
    covered: Decimal | None
    daily: Sequence[DayReading]
    views: Sequence[View]
    breakdown: Breakdown
    lag: Lag
    nothing: Nothing | None
    at: datetime

    @property
    def tokens(self) -> int:
        return self.totals.input_tokens + self.totals.output_tokens

    @property
    def view_query(self) -> str:
        """The address of this choice and view, all rows of it."""
        return f"{self.choice.query}&{urlencode({'view': self.breakdown.view.key})}"


def usage_page(account: BillingAccount, choice: Choice, at: datetime, *, view: View, show_all: bool) -> UsagePage:
    """What the account used in the chosen period and workspace; the same queries for any number of events (U4)."""
    readings = meter_readings(account_id=account.id, period=choice.period, workspace_id=choice.workspace_id)
    days = daily_readings(account_id=account.id, period=choice.period, workspace_id=choice.workspace_id)
    totals = totals_of(readings)
    return UsagePage(
        choice=choice,
        currency=account.currency,
        totals=totals,
        billed=totals.cost - totals.own_key_cost,
        covered=covered_by_plan(account.id, readings, choice.period.start),
        daily=daily_of(days, choice.period, at),
        views=list(VIEWS.values()),
        breakdown=breakdown(view, _parts(account, choice, view, readings), totals, show_all=show_all),
        lag=lag_of(account.id, at),
        nothing=None if readings else nothing_used(account.id, choice),
        at=at,
    )


def _parts(account: BillingAccount, choice: Choice, view: View, readings: Sequence[MeterReading]) -> list[Part]:
    match view.key:
        case "product":
            return product_parts(readings)
        case "model":
            return model_parts(readings)
        case "workspace":
            return workspace_parts(readings, workspace_names(account.tenant_id))
    places = place_readings(account_id=account.id, period=choice.period, workspace_id=choice.workspace_id)
    names = place_names(account.tenant_id, {place.agent for place in places})
    return office_parts(places, names) if view.key == "office" else agent_parts(places, names)
