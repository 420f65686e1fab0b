from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from billing.core.ids import encode_id
from billing.notifications.event_types import EventType
from billing.notifications.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from billing.subscriptions.models import BillingAccount
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a tenant's programs may be told of.

    `object_id` is the public id of what it is about: events of one object arrive in the order in which they were
    published. `key` makes the fact told once. `data` is JSON, with amounts as strings; the tenant's slug is added.
    """

    tenant_id: UUID
    type: EventType
    object_id: str
    key: str
    data: Mapping[str, Any]
    occurred_at: datetime


def publish_events(facts: Iterable[Fact], *, at: datetime) -> None:
    """Write facts down for the endpoints that want to know, in the caller's transaction (N1).

    Five queries at most, however many facts; a key that is known changes nothing.
    """
    told = list(facts)
    if not told:
        return
    slugs = dict(Tenant.objects.filter(id__in={fact.tenant_id for fact in told}).values_list("id", "slug"))
    events = [_event(fact, slugs[fact.tenant_id], at) for fact in told]
    WebhookEvent.objects.bulk_create(events, ignore_conflicts=True)
    new = set(WebhookEvent.objects.filter(id__in=[event.id for event in events]).values_list("id", flat=True))
    listening = list(
        WebhookEndpoint.objects.filter(tenant_id__in=slugs, state=WebhookEndpoint.State.ENABLED).only(
            "id", "tenant_id", "event_types"
        )
    )
    deliveries = [
        delivery_of(event, endpoint, at)
        for event in events
        if event.id in new
        for endpoint in listening
        if endpoint.tenant_id == event.tenant_id and (not endpoint.event_types or event.type in endpoint.event_types)
    ]
    WebhookDelivery.objects.bulk_create(deliveries)


def publish_event(fact: Fact, *, at: datetime) -> None:
    """The same for one fact."""
    publish_events([fact], at=at)


def account_data(account: BillingAccount) -> dict[str, str]:
    """How `data` names a billing account."""
    return {"id": encode_id("acc", account.id), "name": account.name}


def delivery_of(event: WebhookEvent, endpoint: WebhookEndpoint, at: datetime) -> WebhookDelivery:
    """A delivery that is due at once, not saved."""
    return WebhookDelivery(
        tenant_id=event.tenant_id,
        event_id=event.id,
        endpoint_id=endpoint.id,
        object_id=event.object_id,
        due_at=at,
        created_at=at,
    )


def _event(fact: Fact, slug: str, at: datetime) -> WebhookEvent:
    return WebhookEvent(
        id=uuid7(),
        tenant_id=fact.tenant_id,
        type=fact.type.value,
        object_id=fact.object_id,
        key=fact.key,
        data={"tenant": slug, **fact.data},
        occurred_at=fact.occurred_at,
        created_at=at,
    )
