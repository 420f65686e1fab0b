"""An endpoint and a delivery as the pages of webhooks show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.console.webhook_texts import again_text, answer_text, delivery_state, disabled_text, endpoint_state
from billing.core.ids import encode_id
from billing.notifications.models import WebhookDelivery, WebhookEndpoint


@dataclass(frozen=True, slots=True)
class EndpointCard:
    """An endpoint. `types` is empty for all; `alarm`: it was switched off by us, for the reason `disabled_text`.

    `failing_since` is None also where nothing has failed.
    """

    id: UUID
    public_id: str
    name: str
    url: str
    types: Sequence[str]
    state_name: str
    variant: str
    is_enabled: bool
    alarm: bool
    disabled_text: str
    disabled_at: datetime | None
    failing_since: datetime | None
    previous_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery as a line of the log, which is in the order of `created_at`: what it tells of may be older.

    `due_at` is when it is tried next, None where it is not. `answer_text` is of the last try; `again_text`: it was
    delivered, at `delivered_at`, and what became of sending it again.
    """

    id: UUID
    endpoint_id: UUID
    public_id: str
    event_id: str
    type: str
    object_id: str
    state: str
    state_name: str
    variant: str
    tries: int
    error: str
    answer_text: str
    again_text: str
    occurred_at: datetime
    created_at: datetime
    due_at: datetime | None
    delivered_at: datetime | None


def endpoint_card(endpoint: WebhookEndpoint) -> EndpointCard:
    """An endpoint, called by its description or else by its address."""
    state_name, variant = endpoint_state(endpoint)
    failing = {WebhookEndpoint.Reason.FAILING, WebhookEndpoint.Reason.GONE}
    return EndpointCard(
        id=endpoint.id,
        public_id=encode_id("whe", endpoint.id),
        name=endpoint.description or endpoint.url,
        url=endpoint.url,
        types=endpoint.event_types,
        state_name=state_name,
        variant=variant,
        is_enabled=endpoint.state == WebhookEndpoint.State.ENABLED,
        alarm=endpoint.disabled_reason in failing,
        disabled_text=disabled_text(endpoint),
        disabled_at=endpoint.disabled_at,
        failing_since=endpoint.failing_since,
        previous_until=endpoint.previous_until,
        created_at=endpoint.created_at,
    )


def delivery_row(delivery: WebhookDelivery) -> DeliveryRow:
    """A delivery whose event is loaded."""
    event = delivery.event
    state_name, variant = delivery_state(delivery)
    return DeliveryRow(
        id=delivery.id,
        endpoint_id=delivery.endpoint_id,
        public_id=encode_id("whd", delivery.id),
        event_id=encode_id("msg", event.id),
        type=event.type,
        object_id=event.object_id,
        state=delivery.state,
        state_name=state_name,
        variant=variant,
        tries=delivery.tries,
        error=delivery.error,
        answer_text=answer_text(delivery),
        again_text=again_text(delivery),
        occurred_at=event.occurred_at,
        created_at=delivery.created_at,
        due_at=delivery.due_at if delivery.state == WebhookDelivery.State.PENDING else None,
        delivered_at=delivery.delivered_at,
    )
