"""What /v1/webhook-endpoints answers: an endpoint's secret once, and never again (N1)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from billing.core.ids import encode_id
from billing.notifications.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from billing.notifications.queries import body_of
from vault.crypto.secret import Secret


class WebhookEndpointAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Where events are sent. `event_types` empty: all of them.

    `disabled_reason` is `member`, `failing` (for three days) or `gone` (at once: it answered 410); `failing_since` is
    when deliveries began to fail, if none has succeeded since. Until `previous_secret_until` events are signed with the
    replaced secret too.
    """

    id: str
    url: str
    description: str
    event_types: list[str]
    state: str
    disabled_reason: str | None
    disabled_at: datetime | None
    failing_since: datetime | None
    previous_secret_until: datetime | None
    created_at: datetime


class WebhookEndpointSecretAnswer(WebhookEndpointAnswer, frozen=True, kw_only=True):
    """An endpoint with its new secret, which is never shown again.

    It is null where the request was answered before, under the same Idempotency-Key: rotate the secret if it is lost.
    """

    secret: str | None


class WebhookEndpointsAnswer(msgspec.Struct, frozen=True):
    """A page of the tenant's endpoints, the oldest first; removed ones are not listed."""

    results: list[WebhookEndpointAnswer]
    next: str | None


class DeliveryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way to an endpoint. `event` is the header `webhook-id`, the same at every try.

    `state` is `pending` until it is `delivered`, `failed` or `cancelled`; `due_at` is when a pending one is tried next.
    `delivered_at` is when it last succeeded, and stays where it is sent again without success: `state` and `error` are
    of the latest sending.
    """

    id: str
    event: str
    type: str
    object_id: str
    state: str
    tries: int
    error: str
    occurred_at: datetime
    due_at: datetime | None
    delivered_at: datetime | None


class AttemptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One try. `answer` is the beginning of what the endpoint answered; without a status nobody answered: see `error`.

    `manual`: it was asked for.
    """

    at: datetime
    status_code: int | None
    answer: str
    error: str
    duration_ms: int
    manual: bool


class DeliveryDetailAnswer(DeliveryAnswer, frozen=True, kw_only=True):
    """A delivery with its tries, the latest first. `body` is exactly what is sent and signed."""

    body: str
    attempts: list[AttemptAnswer]


class DeliveriesAnswer(msgspec.Struct, frozen=True):
    """A page of deliveries, the newest first. They are kept for 30 days."""

    results: list[DeliveryAnswer]
    next: str | None


def endpoint_answer(endpoint: WebhookEndpoint) -> WebhookEndpointAnswer:
    """An endpoint without its secret."""
    return WebhookEndpointAnswer(**_endpoint(endpoint))


def secret_answer(endpoint: WebhookEndpoint, secret: Secret | None) -> WebhookEndpointSecretAnswer:
    """An endpoint with its new secret, or without it as it may be kept."""
    plain = secret.reveal() if secret is not None else None
    return WebhookEndpointSecretAnswer(**_endpoint(endpoint), secret=plain)


def delivery_answer(delivery: WebhookDelivery) -> DeliveryAnswer:
    """A delivery whose event is loaded."""
    return DeliveryAnswer(**_delivery(delivery))


def delivery_detail_answer(delivery: WebhookDelivery, attempts: Iterable[WebhookAttempt]) -> DeliveryDetailAnswer:
    """A delivery with what is sent, and what came back."""
    return DeliveryDetailAnswer(
        **_delivery(delivery),
        body=body_of(delivery.event).decode(),
        attempts=[_attempt(attempt) for attempt in attempts],
    )


def _attempt(attempt: WebhookAttempt) -> AttemptAnswer:
    return AttemptAnswer(
        at=attempt.at,
        status_code=attempt.status_code,
        answer=attempt.answer,
        error=attempt.error,
        duration_ms=attempt.duration_ms,
        manual=attempt.manual,
    )


def _delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    event = delivery.event
    return {
        "id": encode_id("whd", delivery.id),
        "event": encode_id("msg", event.id),
        "type": event.type,
        "object_id": event.object_id,
        "state": delivery.state,
        "tries": delivery.tries,
        "error": delivery.error,
        "occurred_at": event.occurred_at,
        "due_at": delivery.due_at if delivery.state == WebhookDelivery.State.PENDING else None,
        "delivered_at": delivery.delivered_at,
    }


def _endpoint(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": encode_id("whe", endpoint.id),
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": list(endpoint.event_types),
        "state": endpoint.state,
        "disabled_reason": endpoint.disabled_reason or None,
        "disabled_at": endpoint.disabled_at,
        "failing_since": endpoint.failing_since,
        "previous_secret_until": endpoint.previous_until,
        "created_at": endpoint.created_at,
    }
