"""GET /v1/usage/events: what was recorded, event by event. POST is served by the hot endpoint."""

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponseBase
from django.utils.timezone import now
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.figures import Amount, Quantity, amount, quantity
from billing.api.hot.usage import post_events
from billing.api.lookups import billed_by, workspace_slugs
from billing.api.pagination import encode_cursor, id_of
from billing.api.periods import PeriodField, period_meant
from billing.api.permissions import caller_of
from billing.api.serializers import AccountPageQuery
from billing.api.views.base import ApiView
from billing.core.ids import encode_id
from billing.usage.models import UsageEvent
from billing.usage.recorded_events import EventFilter, events_page
from tenants.permissions import Permission


class EventAnswer(msgspec.Struct, frozen=True):
    """A recorded event as it was rated; `reverses` names the event that this one takes back.

    `credential` is the own provider key that it ran on, as far as that is known; `credential_reason` says why (K6).
    """

    id: str
    idempotency_key: str
    workspace: str
    product: str
    unit: str
    provider: str
    model: str
    credential_source: str
    credential: str | None
    credential_reason: str
    quantity: Quantity
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost: Amount
    currency: str
    funding: str
    office: str
    agent: str
    session: str
    user: str
    outcome: str
    occurred_at: datetime
    recorded_at: datetime
    period_start: datetime
    reverses: str | None


class EventsAnswer(msgspec.Struct, frozen=True):
    """A page of an account's events, the latest recorded first.

    Where few of many events are asked for, a page may have fewer than `limit`, or none, and yet a `next`.
    """

    results: list[EventAnswer]
    next: str | None


class _Name(serializers.CharField):
    """A name as events have it."""

    def __init__(self, *, max_length: int = 100) -> None:
        super().__init__(required=False, max_length=max_length, trim_whitespace=False)


class EventsQuery(AccountPageQuery):
    """Which events, and which page of them; all where nothing is named."""

    period = PeriodField(required=False, help_text="`current`, `previous`, or a time inside a period.")
    session = _Name()
    agent = _Name()
    product = _Name(max_length=40)
    model = _Name(max_length=120)


class UsageEvents(ApiView):
    """/v1/usage/events"""

    scopes = {"GET": (Permission.BILLING_VIEW, Permission.BILLING_MANAGE, Permission.USAGE_WRITE)}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # A thousand events in one call are not DRF's to parse.
        return post_events(request) if request.method == "POST" else super().dispatch(request, *args, **kwargs)

    @property
    def default_response_headers(self) -> dict[str, str]:
        return super().default_response_headers | {"Allow": "GET, POST, HEAD, OPTIONS"}

    @describe("list_usage_events", tag="Usage", summary="Recorded events", answer=EventsAnswer, query=EventsQuery)
    def get(self, request: Request) -> Response:
        """Of all the account's workspaces, or of the one that the address or the key names."""
        query = EventsQuery.read(request)
        billed = billed_by(caller_of(request), query.get("workspace"))
        names = {name: query.get(name) for name in ("session", "agent", "product", "model")}
        period = period_meant(billed.account.id, query["period"], now()) if "period" in query else None
        page = events_page(
            account_id=billed.account.id,
            wanted=EventFilter(workspace_id=billed.workspace_id, period=period, **names),
            limit=query["limit"],
            before=id_of(query),
        )
        slugs = workspace_slugs(event.workspace_id for event in page.events)
        answers = [_answer(event, slugs.get(event.workspace_id, "")) for event in page.events]
        return Response(EventsAnswer(answers, None if page.after is None else encode_cursor(page.after)))


def _answer(event: UsageEvent, workspace: str) -> EventAnswer:
    return EventAnswer(
        id=encode_id("evt", event.id),
        idempotency_key=event.idempotency_key,
        workspace=workspace,
        product=event.product,
        unit=event.unit,
        provider=event.provider,
        model=event.model,
        credential_source=event.credential_source,
        credential=None if event.credential_id is None else encode_id("cred", event.credential_id),
        credential_reason=event.credential_reason,
        quantity=quantity(event.quantity),
        input_tokens=event.input_tokens,
        output_tokens=event.output_tokens,
        cached_input_tokens=event.cached_input_tokens,
        cost=amount(event.cost),
        currency=event.currency,
        funding=event.funding,
        office=event.office,
        agent=event.agent,
        session=event.session,
        user=event.end_user,
        outcome=event.outcome,
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        period_start=event.period_start,
        reverses=None if event.reverses_id is None else encode_id("evt", event.reverses_id),
    )
