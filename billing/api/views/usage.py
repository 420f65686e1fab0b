"""A period's usage: totals, by product, by model."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

import msgspec
from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.figures import Amount, Quantity, amount, quantity
from billing.api.lookups import Billed, billed_by, billed_workspace
from billing.api.periods import PeriodField, period_meant
from billing.api.permissions import caller_of
from billing.api.serializers import AccountQuery, Query
from billing.api.views.base import SEE_BILLING, ApiView
from billing.core.periods import Period
from billing.usage.queries import MeterReading, period_readings

K = TypeVar("K", bound=tuple[str, ...])


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


class UsageAnswer(msgspec.Struct, frozen=True):
    """Usage of one period, the dearest first; amounts in `currency`."""

    period: PeriodAnswer
    currency: str
    totals: TotalsAnswer
    by_product: list[ProductAnswer]
    by_model: list[ModelUsageAnswer]


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


@dataclass(slots=True)
class _Sum:
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    quantity: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        return self.requests, self.input_tokens, self.output_tokens, self.cached_input_tokens

    def add(self, reading: MeterReading) -> None:
        self.requests += reading.requests
        self.input_tokens += reading.input_tokens
        self.output_tokens += reading.output_tokens
        self.cached_input_tokens += reading.cached_input_tokens
        self.quantity += reading.quantity
        self.cost += reading.cost


def _usage(billed: Billed, period: str | datetime) -> UsageAnswer:
    meant = period_meant(billed.account.id, period, now())
    readings = period_readings(account_id=billed.account.id, period=meant, workspace_id=billed.workspace_id)
    return usage_answer(meant, billed.account.currency, readings)


def usage_answer(period: Period, currency: str, readings: list[MeterReading]) -> UsageAnswer:
    """The sums of a period's readings; sums by product and by model add up to the totals of what they cover."""
    total, byok = _Sum(), _Sum()
    products: dict[tuple[str, str], _Sum] = {}
    models: dict[tuple[str, str, str], _Sum] = {}
    for reading in readings:
        total.add(reading)
        if reading.credential_source == "byok":
            byok.add(reading)
        products.setdefault((reading.product, reading.unit), _Sum()).add(reading)
        if reading.product == "llm":
            key = reading.provider, reading.model, reading.credential_source
            models.setdefault(key, _Sum()).add(reading)
    return UsageAnswer(
        period=PeriodAnswer(period.start, period.end),
        currency=currency,
        totals=TotalsAnswer(*total.counts, amount(total.cost), amount(byok.cost)),
        by_product=[
            ProductAnswer(*key, quantity(used.quantity), amount(used.cost)) for key, used in _dearest_first(products)
        ],
        by_model=[ModelUsageAnswer(*key, *used.counts, amount(used.cost)) for key, used in _dearest_first(models)],
    )


def _dearest_first(sums: dict[K, _Sum]) -> list[tuple[K, _Sum]]:
    return sorted(sums.items(), key=lambda entry: (-entry[1].cost, entry[0]))
