"""Webhooks on their way: what arrives, what counts as delivered, and what is tried again (N1)."""

import json
from datetime import timedelta

import pytest
from pytest_django import Settings

from billing.core.ids import encode_id
from billing.notifications.models import WebhookAttempt, WebhookDelivery
from billing.notifications.queries import body_of
from billing.notifications.webhook_claims import Lane
from billing.notifications.webhook_retries import MOST_TRIES
from tests.make import AT, make_tenant
from tests.notifications.webhooks.make import deliver, deliver_all, fresh, only_delivery, open_endpoint, publish
from tests.notifications.webhooks.receiver import Behaviour, Reply, Request, receiving, slow, status

pytestmark = pytest.mark.usefixtures("vault")
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def test_what_arrives() -> None:
    """N1: one POST with the headers of Standard Webhooks and the body as it is shown."""
    tenant = make_tenant("northwind")
    with receiving() as receiver:
        open_endpoint(tenant, receiver.url)
        [event] = publish(tenant, "inv_1", total="12.50")
        assert deliver() == 1
        assert deliver() == 0
    [request] = receiver.got
    assert request.path == "/hooks"
    assert request.id == encode_id("msg", event.id)
    assert request.headers["webhook-timestamp"] == str(int(AT.timestamp()))
    assert request.headers["content-type"] == "application/json"
    assert request.body == body_of(event)
    assert json.loads(request.body) == {
        "type": "invoice.paid",
        "timestamp": "2026-03-10T12:00:00Z",
        "data": {"tenant": "northwind", "total": "12.50"},
    }
    delivery, attempt = only_delivery(), WebhookAttempt.objects.get()
    assert (delivery.state, delivery.tries, delivery.error) == ("delivered", 1, "")
    assert AT <= attempt.at == delivery.delivered_at < AT + SECOND
    assert (attempt.status_code, attempt.answer, attempt.error, attempt.manual) == (204, "", "", False)


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (status(200), ""),
        (status(299), ""),
        (status(302, Location="http://127.0.0.1:9/"), "The endpoint answered 302: redirects are not followed."),
        (status(400), "The endpoint answered 400."),
        (status(503), "The endpoint answered 503."),
    ],
)
def test_what_counts_as_delivered(behaviour: Behaviour, error: str) -> None:
    """N1: answers from 200 to 299."""
    tenant = make_tenant()
    with receiving(behaviour) as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        publish(tenant)
        deliver()
    delivery = only_delivery()
    assert delivery.error == WebhookAttempt.objects.get().error == error
    assert delivery.state == ("pending" if error else "delivered")
    assert fresh(endpoint).is_slow == bool(error)


def test_huge_and_broken_answers_are_cut() -> None:
    """N1: the beginning of the text is kept, whatever bytes there are and however many follow."""
    tenant = make_tenant()
    answer = b"\x00\xff<b>" + "€".encode() * 500_000
    with receiving(status(200, answer)) as receiver:
        open_endpoint(tenant, receiver.url)
        publish(tenant)
        deliver()
    kept = WebhookAttempt.objects.get().answer
    assert kept == "\ufffd<b>" + "€" * 996
    assert only_delivery().state == "delivered"


def test_nobody_listens() -> None:
    """N1: a refused connection is a failed try with our words."""
    tenant = make_tenant()
    with receiving() as receiver:
        open_endpoint(tenant, receiver.url)
    publish(tenant)
    deliver()
    attempt = WebhookAttempt.objects.get()
    assert (attempt.status_code, attempt.error) == (None, "The connection to the endpoint failed.")


def test_answer_that_takes_too_long(settings: Settings) -> None:
    """N1: one time-out for all of it."""
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.1
    tenant = make_tenant()
    with receiving(slow(0.2)) as receiver:
        open_endpoint(tenant, receiver.url)
        publish(tenant)
        deliver()
    assert WebhookAttempt.objects.get().error == "The endpoint did not answer within 0.1 seconds."
    assert only_delivery().state == "pending"


def test_flaky_endpoint_gets_it_in_the_end() -> None:
    """N1: tries at growing distances, each under the same id and freshly signed; then it counts as well again."""
    tenant, replies = make_tenant(), iter([500, 502, 204])

    def flaky(request: Request) -> Reply:
        return next(replies), b"", {}

    with receiving(flaky) as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        publish(tenant)
        assert deliver_all(AT) == 1
        assert fresh(endpoint).failing_since is not None
        assert deliver_all(AT + 4 * SECOND) == 0
        assert deliver_all(AT + 7 * SECOND) == 1
        assert deliver_all(AT + 50 * SECOND) == 0
        assert deliver_all(AT + 90 * SECOND) == 1
    assert len({request.id for request in receiver.got}) == 1
    assert len({request.headers["webhook-timestamp"] for request in receiver.got}) == 3
    assert only_delivery().state == "delivered"
    endpoint = fresh(endpoint)
    assert (endpoint.failing_since, endpoint.is_slow) == (None, False)


def test_given_up_after_about_a_day() -> None:
    """N1: a last try after some twenty hours, and none after it."""
    tenant = make_tenant()
    with receiving(status(500)) as receiver:
        open_endpoint(tenant, receiver.url)
        publish(tenant)
        at = AT
        for _ in range(MOST_TRIES):
            assert deliver_all(at) == 1
            at = only_delivery().due_at
        assert deliver_all(AT + 10 * DAY) == 0
    assert AT + timedelta(hours=19) < WebhookAttempt.objects.latest("at").at < AT + timedelta(hours=27)
    assert only_delivery().state == "failed"


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("120", 120, 125),
        ("Tue, 10 Mar 2026 12:03:00 GMT", 175, 185),
        ("99999999", 3600, 3605),
        ("-5", 4, 7),
        ("soon", 4, 7),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 4, 7),
    ],
)
def test_retry_after_is_honoured_within_reason(header: str, least: int, most: int) -> None:
    """N1: an hour at most; nothing else is sent there meanwhile."""
    tenant = make_tenant()
    with receiving(status(503, Retry_After=header)) as receiver:
        open_endpoint(tenant, receiver.url)
        publish(tenant)
        deliver()
        due_at = only_delivery().due_at
        assert AT + least * SECOND <= due_at <= AT + most * SECOND
        publish(tenant)
        if least > 10:
            assert deliver_all(AT + 100 * SECOND) == 0
            assert deliver_all(due_at + 2 * SECOND) >= 1


def test_endpoint_that_is_gone_is_disabled_at_once() -> None:
    """N1: 410 says so; what waits is given up, and who manages the tenant is written to."""
    tenant = make_tenant()
    with receiving(status(410)) as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        publish(tenant, "a", "b")
        assert deliver() == 1
        assert deliver_all(AT + DAY) == 0
    endpoint = fresh(endpoint)
    assert (endpoint.state, endpoint.disabled_reason) == ("disabled", "gone")
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"cancelled"}
    notice = tenant.notices.get()
    assert notice.kind == "webhook-endpoint-disabled"
    assert f"127.0.0.1:{receiver.port}" in notice.subject
    assert "410" in notice.body
    assert str(endpoint.id) in notice.link


def test_endpoint_that_fails_for_days_is_disabled() -> None:
    """N1: after three days with nothing but failures, not before, and once."""
    tenant = make_tenant()
    with receiving(status(500)) as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        for days in (0, 1, 2):
            publish(tenant, at=AT + days * DAY)
            deliver_all(AT + days * DAY)
        assert fresh(endpoint).state == "enabled"
        publish(tenant, at=AT + 3 * DAY)
        deliver_all(AT + 3 * DAY + SECOND)
    endpoint = fresh(endpoint)
    assert (endpoint.state, endpoint.disabled_reason) == ("disabled", "failing")
    assert not WebhookDelivery.objects.filter(state="pending").exists()
    assert "10 March 2026, 12:00 UTC" in tenant.notices.get().body


def test_success_in_between_starts_the_days_afresh() -> None:
    """N1: the days count from the first failure after the last success."""
    tenant, code = make_tenant(), [500]
    with receiving(lambda _: (code[0], b"", {})) as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        for days, code[0] in ((0, 500), (2, 204), (3, 500), (5, 500)):
            publish(tenant, at=AT + days * DAY)
            deliver_all(AT + days * DAY)
        assert fresh(endpoint).state == "enabled"


def test_lanes_are_apart() -> None:
    """N1: who failed last is served by the worker of the slow ones alone, until it answers well."""
    tenant = make_tenant()
    with receiving(status(500)) as receiver:
        endpoint, _ = open_endpoint(tenant, receiver.url)
        publish(tenant)
        deliver()
        publish(tenant)
        assert deliver(AT + SECOND) == 0
        receiver.behave = status(204)
        assert deliver(AT + SECOND, Lane.SLOW) == 1
        assert not fresh(endpoint).is_slow
        assert deliver(AT + 10 * SECOND, Lane.SLOW) == 0
        assert deliver(AT + 10 * SECOND) == 1
