"""/v1/webhook-endpoints: where the tenant's programs are told of events (N1)."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.idempotency import IDEMPOTENCY_KEY, idempotency_key
from billing.api.pagination import encode_cursor, id_of, paged
from billing.api.permissions import actor_of, caller_of
from billing.api.serializers import PageQuery
from billing.api.views.webhooks.base import MANAGE, WebhookView, endpoint_named, endpoint_of
from billing.api.webhook_answers import (
    WebhookEndpointAnswer,
    WebhookEndpointsAnswer,
    WebhookEndpointSecretAnswer,
    endpoint_answer,
)
from billing.api.webhook_fields import NewWebhookEndpoint, SecretRotation, WebhookEndpointChange, WebhookQuery
from billing.api.webhook_secrets import shown_once
from billing.notifications.models import WebhookEndpoint
from billing.notifications.queries import endpoints_of, find_endpoint
from billing.notifications.services.change_endpoint import change_endpoint
from billing.notifications.services.create_endpoint import create_endpoint
from billing.notifications.services.disable_endpoint import disable_endpoint
from billing.notifications.services.enable_endpoint import enable_endpoint
from billing.notifications.services.remove_endpoint import remove_endpoint
from billing.notifications.services.rotate_secret import rotate_secret
from tenants.services.record_audit import Actor
from vault.crypto.secret import Secret


class WebhookEndpoints(WebhookView):
    """/v1/webhook-endpoints"""

    scopes = {"GET": MANAGE, "POST": MANAGE}

    @describe(
        "list_webhook_endpoints",
        tag="Webhooks",
        summary="Webhook endpoints",
        answer=WebhookEndpointsAnswer,
        query=PageQuery,
    )
    def get(self, request: Request) -> Response:
        """Where events are sent; a tenant has ten endpoints at most."""
        query = PageQuery.read(request)
        after = id_of(query)
        rows = [row for row in endpoints_of(caller_of(request).tenant_id) if after is None or row.id > after]
        page = paged(rows[: query["limit"] + 1], query["limit"], endpoint_answer, lambda row: encode_cursor(row.id))
        return Response(WebhookEndpointsAnswer(*page))

    @describe(
        "create_webhook_endpoint",
        tag="Webhooks",
        summary="Add a webhook endpoint",
        answer=WebhookEndpointSecretAnswer,
        status=201,
        body=NewWebhookEndpoint,
        headers=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> Response:
        """Its `secret` is answered here and never again: whoever has it can tell our events from others'.

        Events are POSTed as the Standard Webhooks specification has it, with the headers `webhook-id`,
        `webhook-timestamp` and `webhook-signature`.
        """
        WebhookQuery.read(request)
        body, tenant_id, at = NewWebhookEndpoint.read(request), caller_of(request).tenant_id, now()

        def create() -> tuple[WebhookEndpoint, Secret]:
            return create_endpoint(
                tenant_id=tenant_id,
                url=body["url"],
                description=body.get("description", ""),
                event_types=body.get("event_types", []),
                actor=actor_of(request),
                at=at,
            )

        answer = shown_once(
            tenant_id=tenant_id,
            operation="add-webhook-endpoint",
            key=idempotency_key(request),
            body=body,
            make=create,
            at=at,
        )
        return Response(answer, status=201)


class WebhookEndpointDetail(WebhookView):
    """/v1/webhook-endpoints/{endpoint_id}"""

    scopes = {"GET": MANAGE, "PATCH": MANAGE, "DELETE": MANAGE}

    @describe("get_webhook_endpoint", tag="Webhooks", summary="A webhook endpoint", answer=WebhookEndpointAnswer)
    def get(self, request: Request, endpoint_id: str) -> Response:
        """Without its secret."""
        WebhookQuery.read(request)
        return Response(endpoint_answer(endpoint_of(request, endpoint_id)))

    @describe(
        "change_webhook_endpoint",
        tag="Webhooks",
        summary="Change a webhook endpoint",
        answer=WebhookEndpointAnswer,
        body=WebhookEndpointChange,
    )
    def patch(self, request: Request, endpoint_id: str) -> Response:
        """Its address, description and types of events, and whether events are sent there.

        Disabling it cancels what is under way; what happens while it is disabled is not sent later.
        """
        WebhookQuery.read(request)
        endpoint, body = endpoint_of(request, endpoint_id), WebhookEndpointChange.read(request)
        _change(endpoint, body, actor_of(request), now())
        return Response(endpoint_answer(endpoint_of(request, endpoint_id)))

    @describe("remove_webhook_endpoint", tag="Webhooks", summary="Remove a webhook endpoint", answer=None)
    def delete(self, request: Request, endpoint_id: str) -> Response:
        """Its secret is erased at once, and what is under way is cancelled."""
        WebhookQuery.read(request)
        remove_endpoint(
            tenant_id=caller_of(request).tenant_id,
            endpoint_id=endpoint_named(endpoint_id),
            actor=actor_of(request),
            at=now(),
        )
        return Response(status=204)


class RotateSecret(WebhookView):
    """POST /v1/webhook-endpoints/{endpoint_id}/rotate-secret"""

    scopes = {"POST": MANAGE}

    @describe(
        "rotate_webhook_secret",
        tag="Webhooks",
        summary="Replace a webhook endpoint's secret",
        answer=WebhookEndpointSecretAnswer,
        body=SecretRotation,
        headers=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, endpoint_id: str) -> Response:
        """The new `secret` is answered once. For `overlap_hours` events carry a signature by each of the two."""
        WebhookQuery.read(request)
        found, body = endpoint_of(request, endpoint_id), SecretRotation.read(request)
        actor, at = actor_of(request), now()

        def rotate() -> tuple[WebhookEndpoint, Secret]:
            secret = rotate_secret(
                tenant_id=found.tenant_id, endpoint_id=found.id, actor=actor, at=at, **_overlap(body)
            )
            return find_endpoint(found.tenant_id, found.id), secret

        answer = shown_once(
            tenant_id=found.tenant_id,
            operation=f"whsec-{found.id.hex}",
            key=idempotency_key(request),
            body=body,
            make=rotate,
            at=at,
        )
        return Response(answer)


def _overlap(body: dict[str, Any]) -> dict[str, timedelta]:
    return {"overlap": timedelta(hours=body["overlap_hours"])} if "overlap_hours" in body else {}


@transaction.atomic
def _change(endpoint: WebhookEndpoint, body: dict[str, Any], actor: Actor, at: datetime) -> None:
    """All of it or nothing. Raises what the services raise."""
    wanted = body.pop("state", endpoint.state)
    if body:
        change_endpoint(tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, **body, actor=actor, at=at)
    if wanted != endpoint.state:
        switch = enable_endpoint if wanted == WebhookEndpoint.State.ENABLED else disable_endpoint
        switch(tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, actor=actor, at=at)
