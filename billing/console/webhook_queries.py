"""What the pages of webhooks read beside the deliveries themselves."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import OuterRef, Subquery

from billing.notifications.models import WebhookDelivery, WebhookEndpoint


def last_deliveries(endpoint_ids: Iterable[UUID]) -> dict[UUID, WebhookDelivery]:
    """The latest delivery of each endpoint that has had one, with its event; one query."""
    latest = WebhookDelivery.objects.filter(endpoint_id=OuterRef("id")).order_by("-id").values("id")[:1]
    ids = WebhookEndpoint.objects.filter(id__in=list(endpoint_ids)).values_list(Subquery(latest))
    rows = WebhookDelivery.objects.filter(id__in=ids).select_related("event")
    return {row.endpoint_id: row for row in rows}
