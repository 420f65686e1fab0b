"""Facts that are written down for subscribers (N1)."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.notifications.event_types import EventType
from billing.notifications.models import WebhookDelivery, WebhookEvent
from billing.notifications.services.publish_events import Fact, publish_event, publish_events
from tenants.models import Tenant
from tests.make import AT, make_tenant
from tests.notifications.webhooks.make import fact, open_endpoint, publish

pytestmark = pytest.mark.usefixtures("vault")
URL = "https://93.184.215.14/hooks"


class Undone(Exception):
    """What undoes a transaction."""


def test_nothing_is_left_of_a_transaction_that_is_undone() -> None:
    """N1: the fact never was, so that nobody is told."""
    tenant = make_tenant()
    open_endpoint(tenant, URL)

    def change_and_fail() -> None:
        with transaction.atomic():
            publish(tenant)
            assert WebhookDelivery.objects.count() == 1
            raise Undone

    with pytest.raises(Undone):
        change_and_fail()
    assert WebhookEvent.objects.count() == WebhookDelivery.objects.count() == 0


def test_fact_is_told_once() -> None:
    """N1: by its key, in one call or several."""
    tenant = make_tenant()
    open_endpoint(tenant, URL)
    same = [Fact(tenant.id, EventType.BALANCE_LOW, "acc_1", "low:1", {"balance": text}, AT) for text in ("1", "2")]
    publish_events(same, at=AT)
    publish_event(same[1], at=AT)
    assert WebhookEvent.objects.get().data == {"tenant": tenant.slug, "balance": "1"}
    assert WebhookDelivery.objects.count() == 1


def test_queries_do_not_grow_with_facts() -> None:
    """N1: five for any number of facts, tenants and endpoints; none for no fact."""

    def queries(*tenants: Tenant, each: int = 1) -> int:
        facts = [fact(tenant) for tenant in tenants for _ in range(each)]
        with CaptureQueriesContext(connection) as captured:
            publish_events(facts, at=AT)
        return len(captured)

    tenants = [make_tenant() for _ in range(5)]
    for tenant in tenants:
        open_endpoint(tenant, URL)
        open_endpoint(tenant, URL)
    assert queries(tenants[0], each=1) == queries(*tenants, each=40) == 5
    assert queries(make_tenant(), each=1) == 4
    assert queries() == 0
    assert WebhookDelivery.objects.count() == 2 * (1 + 5 * 40)


def test_events_are_kept_where_nobody_listens() -> None:
    """N1: an endpoint that is added later is told of later events alone."""
    tenant = make_tenant()
    publish(tenant)
    open_endpoint(tenant, URL)
    assert WebhookEvent.objects.count() == 1
    assert WebhookDelivery.objects.count() == 0
