"""The webhooks page: the tenant's endpoints, and the form for another one (N1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from billing.console.pages.webhooks.cards import DeliveryRow, EndpointCard, delivery_row, endpoint_card
from billing.console.webhook_forms import EndpointForm
from billing.console.webhook_queries import last_deliveries
from billing.notifications.queries import endpoints_of
from billing.notifications.services.create_endpoint import MOST_ENDPOINTS


@dataclass(frozen=True, slots=True)
class EndpointEntry:
    """An endpoint, and the latest delivery to it, if there was one."""

    card: EndpointCard
    last: DeliveryRow | None


@dataclass(frozen=True, slots=True)
class WebhooksPage:
    """`most`: how many endpoints a tenant may have."""

    entries: Sequence[EndpointEntry]
    most: int

    @property
    def is_full(self) -> bool:
        return len(self.entries) >= self.most

    @property
    def alarms(self) -> list[EndpointEntry]:
        """Those that were switched off for failing, or for 410 Gone."""
        return [entry for entry in self.entries if entry.card.alarm]


@dataclass(frozen=True, slots=True)
class AddPage:
    """The form; or, once it has made an endpoint, that one and its secret, which is on this page and never again."""

    form: EndpointForm
    card: EndpointCard | None = None
    secret: str = ""


def webhooks_page(tenant_id: UUID) -> WebhooksPage:
    """Three queries for any number of endpoints."""
    endpoints = list(endpoints_of(tenant_id))
    latest = last_deliveries(endpoint.id for endpoint in endpoints)
    return WebhooksPage(
        [
            EndpointEntry(endpoint_card(row), delivery_row(latest[row.id]) if row.id in latest else None)
            for row in endpoints
        ],
        MOST_ENDPOINTS,
    )
