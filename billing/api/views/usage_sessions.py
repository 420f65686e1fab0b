"""GET /v1/usage/sessions: what each session used in a period, and of which models (U5)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.figures import Amount, amount
from billing.api.lookups import billed_by, workspace_slugs
from billing.api.pagination import encode_cursor, paged, time_and_id_of
from billing.api.periods import PeriodField, period_meant
from billing.api.permissions import caller_of
from billing.api.serializers import AccountPageQuery
from billing.api.views.base import SEE_BILLING, ApiView
from billing.usage.queries import MeterReading
from billing.usage.session_ledger import Position, SessionLine, breakdowns_of, session_lines


class SessionPartAnswer(msgspec.Struct, frozen=True):
    """What a session used of a product and, for model usage, of a model on one kind of key."""

    product: str
    provider: str
    model: str
    credential_source: str
    requests: int
    input_tokens: int
    output_tokens: int
    cost: Amount


class SessionUsageAnswer(msgspec.Struct, frozen=True):
    """What a session used in the period; `first_at` and `last_at` are when it was heard of in it.

    `byok_cost` is the part of `cost` that the tenant paid to providers and nobody bills.
    """

    session: str
    workspace: str
    office: str
    agent: str
    first_at: datetime
    last_at: datetime
    requests: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost: Amount
    byok_cost: Amount
    breakdown: list[SessionPartAnswer]


class SessionLedgerAnswer(msgspec.Struct, frozen=True):
    """A page of a period's sessions, the latest first; amounts in the account's currency."""

    results: list[SessionUsageAnswer]
    next: str | None


class SessionLedgerQuery(AccountPageQuery):
    """Which period, and which page of its sessions."""

    period = PeriodField(default="current", help_text="`current`, `previous`, or a time inside a period.")


class SessionLedger(ApiView):
    """/v1/usage/sessions"""

    scopes = {"GET": SEE_BILLING}

    @describe(
        "list_session_usage",
        tag="Usage",
        summary="Sessions' usage",
        answer=SessionLedgerAnswer,
        query=SessionLedgerQuery,
    )
    def get(self, request: Request) -> Response:
        """Of all the account's workspaces, or of the one that the address or the key names."""
        query = SessionLedgerQuery.read(request)
        billed = billed_by(caller_of(request), query.get("workspace"))
        after = time_and_id_of(query)
        account_id, period = billed.account.id, period_meant(billed.account.id, query["period"], now())
        lines = session_lines(
            account_id=account_id,
            period=period,
            workspace_id=billed.workspace_id,
            limit=query["limit"] + 1,
            before=None if after is None else Position(*after),
        )
        parts = breakdowns_of(account_id=account_id, period=period, lines=lines[: query["limit"]])
        slugs = workspace_slugs(line.workspace_id for line in lines)
        page = paged(
            lines,
            query["limit"],
            lambda line: _answer(line, slugs, parts),
            lambda line: encode_cursor(line.id, line.last_at),
        )
        return Response(SessionLedgerAnswer(*page))


def _answer(
    line: SessionLine, slugs: Mapping[UUID, str], parts: Mapping[tuple[UUID, str], Sequence[MeterReading]]
) -> SessionUsageAnswer:
    return SessionUsageAnswer(
        session=line.session,
        workspace=slugs.get(line.workspace_id, ""),
        office=line.office,
        agent=line.agent,
        first_at=line.first_at,
        last_at=line.last_at,
        requests=line.requests,
        input_tokens=line.input_tokens,
        output_tokens=line.output_tokens,
        cached_input_tokens=line.cached_input_tokens,
        cost=amount(line.cost),
        byok_cost=amount(line.own_key_cost),
        breakdown=[_part(reading) for reading in parts.get((line.workspace_id, line.session), [])],
    )


def _part(reading: MeterReading) -> SessionPartAnswer:
    return SessionPartAnswer(
        product=reading.product,
        provider=reading.provider,
        model=reading.model,
        credential_source=reading.credential_source,
        requests=reading.requests,
        input_tokens=reading.input_tokens,
        output_tokens=reading.output_tokens,
        cost=amount(reading.cost),
    )
