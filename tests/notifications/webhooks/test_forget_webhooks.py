"""How long the log of webhooks is kept (N1)."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from billing.notifications.models import WebhookAttempt, WebhookDelivery, WebhookEvent
from billing.notifications.services.disable_endpoint import disable_endpoint
from billing.notifications.services.forget_webhooks import forget_webhooks
from billing.notifications.services.redeliver import redeliver
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant
from tests.notifications.webhooks.make import deliver, only_delivery, open_endpoint, publish
from tests.notifications.webhooks.receiver import receiving

pytestmark = pytest.mark.usefixtures("vault")
DAY = timedelta(days=1)


def rows() -> tuple[int, int, int]:
    return WebhookEvent.objects.count(), WebhookDelivery.objects.count(), WebhookAttempt.objects.count()


def test_thirty_days() -> None:
    """N1: then deliveries go with their tries and events, and events that nobody wanted."""
    tenant = make_tenant()
    publish(tenant)
    with receiving() as receiver:
        open_endpoint(tenant, receiver.url)
        publish(tenant)
        deliver()
    assert forget_webhooks(at=AT + 30 * DAY - timedelta(seconds=1)) == 0
    assert rows() == (2, 1, 1)
    assert forget_webhooks(at=AT + 31 * DAY) == 1
    assert rows() == (0, 0, 0)


def test_what_was_sent_again_lately_is_kept_whole() -> None:
    """N1: the days count from its last try; what still waits is kept as long as somebody may send it."""
    tenant = make_tenant()
    with receiving() as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        publish(tenant)
        deliver()
        who = {"tenant_id": tenant.id, "endpoint_id": endpoint.id, "actor": SYSTEM}
        redeliver(**who, delivery_id=only_delivery().id, at=AT + 20 * DAY)
        assert forget_webhooks(at=AT + 40 * DAY) == 0
        deliver(AT + 20 * DAY)
        assert forget_webhooks(at=AT + 40 * DAY) == 0
        assert rows() == (1, 1, 2)
        redeliver(**who, delivery_id=only_delivery().id, at=AT + 45 * DAY)
        assert forget_webhooks(at=AT + 80 * DAY) == 0
        disable_endpoint(**who, at=AT + 80 * DAY)
        assert forget_webhooks(at=AT + 80 * DAY) == 1


def test_database_keeps_what_is_younger() -> None:
    """N1: whoever deletes by hand."""
    tenant, today = make_tenant(), now()
    open_endpoint(tenant, "https://93.184.215.14/")
    [event] = publish(tenant, at=today)
    with pytest.raises(IntegrityError, match="30 days"), transaction.atomic():
        WebhookDelivery.objects.all().delete()
    with pytest.raises(IntegrityError, match="30 days"), transaction.atomic():
        WebhookEvent.objects.filter(id=event.id)._raw_delete(using="default")
