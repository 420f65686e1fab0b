"""Webhooks that are sent again, by hand (N1)."""

from datetime import datetime, timedelta

import pytest

from billing.core.problems import Problem
from billing.notifications.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from billing.notifications.queries import attempts_of
from billing.notifications.services.disable_endpoint import disable_endpoint
from billing.notifications.services.record_attempt import record_attempt
from billing.notifications.services.redeliver import redeliver
from billing.notifications.webhook_claims import Lane, claim
from billing.notifications.webhook_posting import Outcome
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant
from tests.notifications.webhooks.make import deliver, deliver_all, only_delivery, open_endpoint, publish
from tests.notifications.webhooks.receiver import receiving, status

pytestmark = pytest.mark.usefixtures("vault")
HOUR = timedelta(hours=1)


def again(endpoint: WebhookEndpoint, delivery: WebhookDelivery, at: datetime) -> None:
    redeliver(tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, delivery_id=delivery.id, actor=SYSTEM, at=at)


def test_redelivery_with_a_new_id() -> None:
    """N1: never: what was delivered before comes again under the same id, with the same body."""
    tenant = make_tenant()
    with receiving() as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        publish(tenant)
        deliver()
        again(endpoint, only_delivery(), AT + HOUR)
        assert only_delivery().state == "pending"
        assert deliver(AT + HOUR) == 1
    first, second = receiver.got
    assert first.id == second.id
    assert first.body == second.body
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert only_delivery().state == "delivered"
    assert [attempt.manual for attempt in attempts_of(only_delivery())] == [True, False]
    line = AuditEvent.objects.get(action="webhook_endpoint.redelivered")
    assert (line.detail["event"], line.detail["before"]) == (first.id, "delivered")


def test_failed_one_gets_all_its_tries_again() -> None:
    """N1: the first is told apart as asked for, the next ones are not."""
    tenant = make_tenant()
    with receiving(status(500)) as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        publish(tenant)
        deliver()
        WebhookDelivery.objects.update(state="failed", tries=9)
        again(endpoint, only_delivery(), AT + HOUR)
        assert deliver_all(AT + HOUR) == 1
        assert deliver_all(AT + HOUR + timedelta(seconds=8)) == 1
    manual = WebhookAttempt.objects.order_by("id").values_list("manual", flat=True)
    assert list(manual) == [False, True, False]
    assert (only_delivery().state, only_delivery().tries) == ("pending", 2)


def test_delivered_one_that_is_sent_again_in_vain() -> None:
    """N1: its state is of the latest sending; when it was delivered is kept."""
    tenant = make_tenant()
    with receiving() as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        publish(tenant)
        deliver()
        delivered = only_delivery().delivered_at
        again(endpoint, only_delivery(), AT + HOUR)
        WebhookDelivery.objects.update(tries=8)
        receiver.behave = status(500)
        deliver(AT + HOUR)
    assert (only_delivery().state, only_delivery().error) == ("failed", "The endpoint answered 500.")
    assert only_delivery().delivered_at == delivered is not None


def test_late_failure_of_what_is_delivered() -> None:
    """N1: of a worker that had lost its lease: it stays delivered, without an error."""
    tenant = make_tenant()
    with receiving() as receiver:
        open_endpoint(tenant, receiver.url)
        publish(tenant)
        [lost] = claim(lane=Lane.REGULAR, limit=1, at=AT)
        assert deliver(AT + HOUR) == 1
    record_attempt(taken=lost, outcome=Outcome("Late.", HOUR), at=AT + HOUR)
    assert (only_delivery().state, only_delivery().error) == ("delivered", "")


def test_pending_one_is_due_at_once_and_keeps_its_place() -> None:
    """N1: an earlier event of the object still goes first."""
    tenant = make_tenant()
    with receiving(status(500)) as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        publish(tenant, "inv_1", "inv_1")
        deliver()
        first, second = WebhookDelivery.objects.order_by("event_id")
        again(endpoint, second, AT)
        assert deliver_all(AT + timedelta(seconds=1)) == 0
        again(endpoint, first, AT)
        receiver.behave = status(200)
        assert deliver_all(AT + timedelta(seconds=2)) == 2
    assert len(receiver.got) == 3
    assert WebhookAttempt.objects.filter(delivery=first).latest("id").manual
    assert not WebhookAttempt.objects.get(delivery=second).manual


def test_what_is_sent_again_holds_up_nobody() -> None:
    """N1: it is out of order by its nature."""
    tenant = make_tenant()
    with receiving() as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        publish(tenant, "inv_1")
        deliver()
        again(endpoint, only_delivery(), AT)
        receiver.behave = status(500)
        deliver(AT)
        receiver.behave = status(200)
        publish(tenant, "inv_1")
        assert deliver_all(AT + timedelta(seconds=1)) == 1


def test_nothing_is_sent_again_to_a_disabled_endpoint() -> None:
    """N1: a problem says so; nor is another endpoint's delivery found."""
    tenant = make_tenant()
    endpoint, _ = open_endpoint(tenant, "https://93.184.215.14/")
    publish(tenant)
    other, _ = open_endpoint(tenant, "https://93.184.215.14/")
    with pytest.raises(WebhookDelivery.DoesNotExist):
        again(other, only_delivery(), AT)
    disable_endpoint(tenant_id=tenant.id, endpoint_id=endpoint.id, actor=SYSTEM, at=AT)
    with pytest.raises(Problem) as refused:
        again(endpoint, only_delivery(), AT)
    assert refused.value.code == "webhook-endpoint-disabled"
