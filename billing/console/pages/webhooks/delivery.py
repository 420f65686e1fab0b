"""A delivery's own page: what is sent, and each try with what came back (N1)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.console.pages.webhooks.cards import DeliveryRow, EndpointCard, delivery_row, endpoint_card
from billing.console.webhook_texts import attempt_state
from billing.notifications.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from billing.notifications.queries import attempts_of, body_of

MAX_LOOKS = 30
_SOON = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One try. `sent_at` is what its header `webhook-timestamp` says; `answer` is the beginning of what came back."""

    at: datetime
    state_name: str
    variant: str
    error: str
    answer: str
    duration_ms: int
    is_manual: bool


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """`looks` counts how often the page has looked by itself; `waits`: it looks again. `is_due`: a try is under way."""

    card: EndpointCard
    row: DeliveryRow
    body: str
    attempts: Sequence[AttemptRow]
    looks: int
    waits: bool
    is_due: bool


def delivery_page(
    endpoint: WebhookEndpoint, delivery: WebhookDelivery, at: datetime, *, looks: int = 0
) -> DeliveryPage:
    """A found delivery. The page looks again while a try is due within a minute, and for half a minute at most."""
    is_pending = delivery.state == WebhookDelivery.State.PENDING
    return DeliveryPage(
        card=endpoint_card(endpoint),
        row=delivery_row(delivery),
        body=json.dumps(json.loads(body_of(delivery.event)), indent=2, ensure_ascii=False),
        attempts=[_attempt(row) for row in attempts_of(delivery)],
        looks=looks,
        waits=is_pending and delivery.due_at <= at + _SOON and looks < MAX_LOOKS,
        is_due=is_pending and delivery.due_at <= at,
    )


def _attempt(row: WebhookAttempt) -> AttemptRow:
    state_name, variant = attempt_state(row)
    return AttemptRow(
        at=row.at,
        state_name=state_name,
        variant=variant,
        error=row.error,
        answer=row.answer,
        duration_ms=row.duration_ms,
        is_manual=row.manual,
    )
