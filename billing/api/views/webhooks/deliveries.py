"""What was sent to an endpoint, what came back, and sending it again (N1)."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.idempotency import IDEMPOTENCY_KEY, Keep, answered_together, idempotency_key
from billing.api.pagination import encode_cursor, id_of, paged
from billing.api.permissions import actor_of, caller_of
from billing.api.views.webhooks.base import MANAGE, WebhookView, delivery_named, endpoint_of
from billing.api.webhook_answers import (
    DeliveriesAnswer,
    DeliveryAnswer,
    DeliveryDetailAnswer,
    delivery_answer,
    delivery_detail_answer,
)
from billing.api.webhook_fields import DeliveryQuery, Nothing, WebhookQuery
from billing.notifications.models import WebhookDelivery
from billing.notifications.queries import attempts_of, deliveries_of, find_delivery
from billing.notifications.services.redeliver import redeliver
from billing.notifications.services.send_test_event import send_test_event


class WebhookDeliveries(WebhookView):
    """GET /v1/webhook-endpoints/{endpoint_id}/deliveries"""

    scopes = {"GET": MANAGE}

    @describe(
        "list_webhook_deliveries",
        tag="Webhooks",
        summary="Deliveries to a webhook endpoint",
        answer=DeliveriesAnswer,
        query=DeliveryQuery,
    )
    def get(self, request: Request, endpoint_id: str) -> Response:
        """The newest first; what each of them sent and was answered is on its own address."""
        query, endpoint = DeliveryQuery.read(request), endpoint_of(request, endpoint_id)
        rows = deliveries_of(
            endpoint,
            limit=query["limit"] + 1,
            before=id_of(query),
            state=query.get("state", ""),
            type=query.get("type", ""),
        )
        page = paged(rows, query["limit"], delivery_answer, lambda row: encode_cursor(row.id))
        return Response(DeliveriesAnswer(*page))


class WebhookDeliveryDetail(WebhookView):
    """GET /v1/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}"""

    scopes = {"GET": MANAGE}

    @describe("get_webhook_delivery", tag="Webhooks", summary="A webhook delivery", answer=DeliveryDetailAnswer)
    def get(self, request: Request, endpoint_id: str, delivery_id: str) -> Response:
        """With the body as it is sent, and each try with the beginning of its answer."""
        WebhookQuery.read(request)
        delivery = find_delivery(endpoint_of(request, endpoint_id), delivery_named(delivery_id))
        return Response(delivery_detail_answer(delivery, attempts_of(delivery)))


class Redeliver(WebhookView):
    """POST /v1/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/redeliver"""

    scopes = {"POST": MANAGE}

    @describe(
        "redeliver_webhook",
        tag="Webhooks",
        summary="Send a webhook again",
        answer=DeliveryAnswer,
        status=202,
        headers=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, endpoint_id: str, delivery_id: str) -> Response:
        """Under the same `webhook-id`, also where it was delivered before. The answer is the delivery, `pending`."""
        WebhookQuery.read(request)
        Nothing.read(request)
        endpoint = endpoint_of(request, endpoint_id)
        found, actor, at = find_delivery(endpoint, delivery_named(delivery_id)), actor_of(request), now()

        def again() -> UUID:
            redeliver(tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, delivery_id=found.id, actor=actor, at=at)
            return found.id

        return _accepted(request, f"again-{found.id.hex}", again, at)


class TestEvent(WebhookView):
    """POST /v1/webhook-endpoints/{endpoint_id}/test"""

    scopes = {"POST": MANAGE}

    @describe(
        "send_test_webhook",
        tag="Webhooks",
        summary="Send a test event",
        answer=DeliveryAnswer,
        status=202,
        headers=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Of the type `webhook_endpoint.test`, whichever types are chosen. The answer is its delivery, `pending`."""
        WebhookQuery.read(request)
        Nothing.read(request)
        endpoint, actor, at = endpoint_of(request, endpoint_id), actor_of(request), now()

        def test() -> UUID:
            return send_test_event(tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, actor=actor, at=at).id

        return _accepted(request, f"test-{endpoint.id.hex}", test, at)


def _accepted(request: Request, operation: str, act: Callable[[], UUID], at: datetime) -> Response:
    """202 with the delivery that `act` names. Raises what `act` raises."""

    @transaction.atomic
    def do(keep: Keep) -> None:
        delivery_id = act()
        keep(delivery_answer(WebhookDelivery.objects.select_related("event").get(id=delivery_id)))

    key = idempotency_key(request)
    tenant_id = caller_of(request).tenant_id
    answer: msgspec.Struct | msgspec.Raw = answered_together(
        tenant_id=tenant_id, operation=operation, key=key, body={}, do=do, at=at
    )
    return Response(answer, status=202)
