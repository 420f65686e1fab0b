"""A period's usage: totals, by product, by model."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.figures import Amount, Quantity, amount, quantity
from billing.api.lookups import Billed, billed_by, billed_workspace, workspace_slugs
from billing.api.periods import PeriodField, period_meant
from billing.api.permissions import caller_of
from billing.api.serializers import AccountQuery, Query
from billing.api.views.base import SEE_BILLING, ApiView
from billing.core.periods import Period
from billing.usage.queries import Lag, MeterReading, PlaceReading, lag_of, meter_readings, place_readings
from billing.usage.sums import ModelRow, agents_of, models_of, offices_of, products_of, totals_of, workspaces_of


class PeriodAnswer(msgspec.Struct, frozen=True):
    """From `start` until just before `end`, in UTC."""

    start: datetime
    end: datetime


class TotalsAnswer(msgspec.Struct, frozen=True):
    """Sums over everything. `byok_cost` is the part of `cost` that the tenant paid to providers and nobody bills."""

    requests: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost: Amount
    byok_cost: Amount


class ProductAnswer(msgspec.Struct, frozen=True):
    """What was used of one product, in its unit."""

    product: str
    unit: str
    quantity: Quantity
    cost: Amount


class ModelUsageAnswer(msgspec.Struct, frozen=True):
    """What was used of one model on the platform's keys or the tenant's own."""

    provider: str
    model: str
    credential_source: str
    requests: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost: Amount


class WorkspaceUsageAnswer(TotalsAnswer, frozen=True, kw_only=True):
    """What a workspace used, all products together."""

    workspace: str


class OfficeUsageAnswer(WorkspaceUsageAnswer, frozen=True, kw_only=True):
    """What an office used; its name is empty for usage that named none."""

    office: str


class AgentUsageAnswer(OfficeUsageAnswer, frozen=True, kw_only=True):
    """What an agent of an office used; names are empty for usage that named none."""

    agent: str


class UsageAnswer(msgspec.Struct, frozen=True):
    """Usage of one period, the dearest first; amounts in `currency`.

    All figures are exact at once. `lag_seconds` is how far the worker behind is that adds usage up for good.
    """

    period: PeriodAnswer
    currency: str
    totals: TotalsAnswer
    by_product: list[ProductAnswer]
    by_model: list[ModelUsageAnswer]
    by_workspace: list[WorkspaceUsageAnswer]
    by_office: list[OfficeUsageAnswer]
    by_agent: list[AgentUsageAnswer]
    lag_seconds: float


class PeriodQuery(Query):
    """Which period."""

    period = PeriodField(default="current", help_text="`current`, `previous`, or a time inside a period.")


class AccountPeriodQuery(PeriodQuery, AccountQuery):
    """Which period of which workspace."""


class Usage(ApiView):
    """GET /v1/billing/usage"""

    scopes = {"GET": SEE_BILLING}

    @describe("get_usage", tag="Usage", summary="Usage of an account", answer=UsageAnswer, query=AccountPeriodQuery)
    def get(self, request: Request) -> Response:
        """Of all the account's workspaces, or of the one that the address or the key names."""
        query = AccountPeriodQuery.read(request)
        billed = billed_by(caller_of(request), query.get("workspace"))
        return Response(_usage(billed, query["period"]))


class WorkspaceUsage(ApiView):
    """GET /v1/workspaces/{workspace}/billing/usage"""

    scopes = {"GET": SEE_BILLING}

    @describe("get_workspace_usage", tag="Usage", summary="Usage of a workspace", answer=UsageAnswer, query=PeriodQuery)
    def get(self, request: Request, workspace: str) -> Response:
        """Of this workspace alone."""
        query = PeriodQuery.read(request)
        return Response(_usage(billed_workspace(caller_of(request), workspace), query["period"]))


def _usage(billed: Billed, period: str | datetime) -> UsageAnswer:
    at, account = now(), billed.account
    meant = period_meant(account.id, period, at)
    return usage_answer(
        meant,
        account.currency,
        meter_readings(account_id=account.id, period=meant, workspace_id=billed.workspace_id),
        place_readings(account_id=account.id, period=meant, workspace_id=billed.workspace_id),
        lag_of(account.id, at),
    )


def usage_answer(
    period: Period, currency: str, readings: Sequence[MeterReading], places: Sequence[PlaceReading], lag: Lag
) -> UsageAnswer:
    """The sums of a period's readings; those of each kind add up to the totals of what they cover."""
    products = sorted(products_of(readings), key=lambda row: (-row.cost, row.product, row.unit))
    workspaces = workspaces_of(readings)
    slugs = workspace_slugs(row.workspace_id for row in (*workspaces, *places))
    return UsageAnswer(
        period=PeriodAnswer(period.start, period.end),
        currency=currency,
        totals=_totals_answer(readings),
        by_product=[ProductAnswer(row.product, row.unit, quantity(row.quantity), amount(row.cost)) for row in products],
        by_model=[_model_answer(row) for row in models_of(readings)],
        by_workspace=[WorkspaceUsageAnswer(**_figures(row, slugs)) for row in workspaces],
        by_office=[OfficeUsageAnswer(**_figures(row, slugs), office=row.office) for row in offices_of(places)],
        by_agent=[
            AgentUsageAnswer(**_figures(row, slugs), office=row.office, agent=row.agent) for row in agents_of(places)
        ],
        lag_seconds=round(lag.seconds, 3),
    )


def _totals_answer(readings: Sequence[MeterReading]) -> TotalsAnswer:
    total = totals_of(readings)
    return TotalsAnswer(
        requests=total.requests,
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        cached_input_tokens=total.cached_input_tokens,
        cost=amount(total.cost),
        byok_cost=amount(total.own_key_cost),
    )


def _figures(row: PlaceReading, slugs: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "workspace": slugs.get(row.workspace_id, ""),
        "requests": row.requests,
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "cached_input_tokens": row.cached_input_tokens,
        "cost": amount(row.cost),
        "byok_cost": amount(row.own_key_cost),
    }


def _model_answer(row: ModelRow) -> ModelUsageAnswer:
    return ModelUsageAnswer(
        provider=row.provider,
        model=row.model,
        credential_source=row.credential_source,
        requests=row.requests,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        cached_input_tokens=row.cached_input_tokens,
        cost=amount(row.cost),
    )
