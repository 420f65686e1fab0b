"""An endpoint's own page: how it does, its settings, and the log of what was sent to it (N1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse
from django.utils.http import urlencode

from billing.console.pages.webhooks.cards import DeliveryRow, EndpointCard, delivery_row, endpoint_card
from billing.console.webhook_forms import DeliveryFilter, EndpointForm, RotationForm, endpoint_form
from billing.console.webhook_queries import last_deliveries
from billing.core.ids import encode_id
from billing.notifications.models import WebhookEndpoint
from billing.notifications.queries import deliveries_of

DELIVERIES = 20


@dataclass(frozen=True, slots=True)
class LogSlice:
    """Deliveries, newest first, and the address of the next ones; empty at the end.

    `is_filtered`: only some are asked for. `is_older`: newer ones stand before these.
    """

    rows: Sequence[DeliveryRow]
    next_url: str
    filter: DeliveryFilter
    is_filtered: bool
    is_older: bool


@dataclass(frozen=True, slots=True)
class EndpointPage:
    """`opened` names the form that was refused, which the page shows open; `secret` is a new one, shown once."""

    card: EndpointCard
    last: DeliveryRow | None
    log: LogSlice
    settings: EndpointForm
    rotation: RotationForm
    opened: str
    secret: str


def endpoint_page(
    endpoint: WebhookEndpoint,
    *,
    choice: DeliveryFilter | None = None,
    before: UUID | None = None,
    settings: EndpointForm | None = None,
    rotation: RotationForm | None = None,
    secret: str = "",
) -> EndpointPage:
    """A found endpoint with its log; the forms are fresh ones unless one was refused."""
    latest = last_deliveries([endpoint.id]).get(endpoint.id)
    return EndpointPage(
        card=endpoint_card(endpoint),
        last=delivery_row(latest) if latest is not None else None,
        log=log_of(endpoint, choice or DeliveryFilter({}), before=before),
        settings=settings or endpoint_form(endpoint),
        rotation=rotation or RotationForm(),
        opened="settings" if settings is not None else "",
        secret=secret,
    )


def log_of(endpoint: WebhookEndpoint, choice: DeliveryFilter, *, before: UUID | None = None) -> LogSlice:
    """The newest deliveries that the filter lets through, or those before one."""
    chosen = choice.chosen()
    found = deliveries_of(endpoint, limit=DELIVERIES + 1, before=before, state=chosen["state"], type=chosen["type"])
    shown = found[:DELIVERIES]
    url = ""
    if len(found) > DELIVERIES:
        query = chosen | {"before": encode_id("whd", shown[-1].id)}
        address = reverse("console:webhook", args=[endpoint.id])
        url = f"{address}?{urlencode({name: text for name, text in query.items() if text})}"
    return LogSlice([delivery_row(row) for row in shown], url, choice, any(chosen.values()), before is not None)
