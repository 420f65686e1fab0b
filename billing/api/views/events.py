"""GET /v1/usage/events: what was recorded, event by event. POST is served by the hot endpoint."""

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.figures import Amount, Quantity, amount, quantity
from billing.api.hot.usage import post_events
from billing.api.lookups import billed_by, workspace_slugs
from billing.api.pagination import encode_cursor, id_of, paged
from billing.api.permissions import caller_of
from billing.api.serializers import AccountPageQuery
from billing.api.views.base import ApiView
from billing.core.ids import encode_id
from billing.usage.models import UsageEvent
from billing.usage.recorded_events import events_of
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
    """A page of an account's events, the latest recorded first."""

    results: list[EventAnswer]
    next: str | None


class UsageEvents(ApiView):
    """/v1/usage/events"""

    scopes = {"GET": (Permission.BILLING_VIEW, Permission.BILLING_MANAGE, Permission.USAGE_WRITE)}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # A thousand events in one call are not DRF's to parse.
        return post_events(request) if request.method == "POST" else super().dispatch(request, *args, **kwargs)

    @property
    def default_response_headers(self) -> dict[str, str]:
        return super().default_response_headers | {"Allow": "GET, POST, HEAD, OPTIONS"}

    @describe("list_usage_events", tag="Usage", summary="Recorded events", answer=EventsAnswer, query=AccountPageQuery)
    def get(self, request: Request) -> Response:
        """Of all the account's workspaces, or of the one that the address or the key names."""
        query = AccountPageQuery.read(request)
        billed = billed_by(caller_of(request), query.get("workspace"))
        events = events_of(
            account_id=billed.account.id,
            workspace_id=billed.workspace_id,
            limit=query["limit"] + 1,
            before=id_of(query),
        )
        slugs = workspace_slugs(event.workspace_id for event in events)
        page = paged(
            events,
            query["limit"],
            lambda event: _answer(event, slugs.get(event.workspace_id, "")),
            lambda event: encode_cursor(event.id),
        )
        return Response(EventsAnswer(*page))


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
