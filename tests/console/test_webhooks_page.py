"""The webhooks pages (N1, F1)."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from billing.notifications.event_types import EventType
from billing.notifications.models import WebhookDelivery, WebhookEndpoint
from billing.notifications.services.remove_endpoint import remove_endpoint
from billing.notifications.webhook_posting import GONE
from tenants.models import AuditEvent
from tenants.permissions import Role
from tenants.services.record_audit import SYSTEM
from tests.console.make import HTMX, QueryCount, make_client
from tests.make import AT, Customer, make_customer
from tests.notifications.make import URL, make_attempt, make_delivery, make_endpoint

pytestmark = pytest.mark.usefixtures("vault")

SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{20,}")
FIELDS = {"url": URL, "description": "Accounting", "which": "some", "event_types": ["invoice.paid"]}
FAILING = {"state": "disabled", "disabled_reason": "failing", "disabled_at": AT}


@pytest.fixture
def client(customer: Customer) -> Client:
    """The owner's browser."""
    return make_client(customer.tenant)


@pytest.fixture
def endpoint(customer: Customer) -> WebhookEndpoint:
    return make_endpoint(customer.tenant)


def path(endpoint: WebhookEndpoint, rest: str = "") -> str:
    return f"/webhooks/{endpoint.id}{rest}"


def test_secret_of_a_new_endpoint_is_shown_once(client: Client) -> None:
    """N1: on the answer to the form, which nobody stores; never again."""
    assert "No endpoints yet" in client.get("/webhooks/").text
    for headers in ({}, HTMX):
        response = client.post("/webhooks/add", FIELDS, headers=headers)
        assert len(set(SECRET.findall(response.text))) == 1
        assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
        assert ("<html" in response.text) == (not headers)
    endpoint = WebhookEndpoint.objects.first()
    assert (endpoint.url, endpoint.description, endpoint.event_types) == (URL, "Accounting", ["invoice.paid"])
    for page in ("/webhooks/", path(endpoint)):
        text = client.get(page).text
        assert SECRET.search(text) is None
        assert "Accounting" in text


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"url": "http://10.0.0.1/hooks"}, "url"),
        ({"url": ""}, "url"),
        ({"url": "https://93.184.216.34/\x07"}, "url"),
        ({"event_types": []}, "event_types"),
        ({"event_types": ["no.such"]}, "event_types"),
        ({"description": "x" * 201}, "description"),
        ({"which": "none"}, "which"),
    ],
)
def test_refused_form_comes_back(client: Client, endpoint: WebhookEndpoint, fields: dict[str, str], field: str) -> None:
    """F1: 422 with what is wrong at its field; nothing is made or changed."""
    before = WebhookEndpoint.objects.values().get()
    for address, headers in (("/webhooks/add", {}), ("/webhooks/add", HTMX), (path(endpoint, "/change"), {})):
        response = client.post(address, FIELDS | fields, headers=headers)
        assert response.status_code == 422
        page = response.context["page"]
        assert list((page.settings if address.endswith("change") else page.form).errors) == [field]
    assert WebhookEndpoint.objects.values().get() == before


def test_eleventh_endpoint(customer: Customer, client: Client) -> None:
    """N1: ten are offered; another one is refused in words."""
    for _ in range(10):
        make_endpoint(customer.tenant)
    assert "/webhooks/add" not in client.get("/webhooks/").text
    response = client.post("/webhooks/add", FIELDS)
    assert response.status_code == 422
    assert "10" in str(response.context["page"].form.non_field_errors())


def test_change_switch_and_remove(client: Client, endpoint: WebhookEndpoint) -> None:
    """N1: all of it by a member, in the audit log; a removed one is gone from the list."""
    assert client.post(path(endpoint, "/change"), FIELDS).status_code == 302
    client.post(path(endpoint, "/switch"))
    endpoint.refresh_from_db()
    assert (endpoint.description, endpoint.state, endpoint.disabled_reason) == ("Accounting", "disabled", "member")
    assert "It was switched off by hand." in client.get(path(endpoint)).text
    assert client.post(path(endpoint, "/test")).status_code == 302
    assert "disabled" in client.get(path(endpoint)).text
    client.post(path(endpoint, "/switch"), {"enabled": "1"})
    endpoint.refresh_from_db()
    assert endpoint.state == "enabled"
    assert client.post(path(endpoint, "/remove"))["Location"] == "/webhooks/"
    assert client.get(path(endpoint)).status_code == 404
    actions = AuditEvent.objects.filter(actor_user__isnull=False).order_by("id").values_list("action", flat=True)
    assert [action.rpartition(".")[2] for action in actions] == ["changed", "disabled", "enabled", "removed"]


def test_new_secret_is_shown_once(client: Client, endpoint: WebhookEndpoint) -> None:
    """N1: the old one stays valid for as long as was chosen; a reload shows nothing any more."""
    response = client.post(path(endpoint, "/rotate"), {"overlap_hours": "72"}, headers=HTMX)
    assert len(set(SECRET.findall(response.text))) == 1
    assert response["Cache-Control"] == "no-store"
    endpoint.refresh_from_db()
    assert endpoint.previous_until == AT + timedelta(hours=72)
    assert client.get(path(endpoint, "/rotate"))["Location"] == path(endpoint)
    assert SECRET.search(client.get(path(endpoint)).text) is None
    refused = client.post(path(endpoint, "/rotate"), {"overlap_hours": "5"})
    assert (refused.status_code, SECRET.search(refused.text)) == (422, None)


def test_endpoint_that_failed_for_days(customer: Customer, client: Client) -> None:
    """N1: both pages say so, with a button that enables it again."""
    endpoint = make_endpoint(customer.tenant, description="Accounting", **FAILING)
    for page in ("/webhooks/", path(endpoint)):
        text = client.get(page).text
        assert "Nothing but failures came back for three days" in text
        assert "Enable again" in text
    client.post(path(endpoint, "/switch"), {"enabled": "1"})
    assert "switched off" not in client.get(path(endpoint)).text


def test_endpoint_that_answered_gone(customer: Customer, client: Client) -> None:
    """N1: both pages say why it was switched off at once, under its whole address where it has no other name."""
    endpoint = make_endpoint(customer.tenant, **FAILING | {"disabled_reason": "gone"})
    for page in ("/webhooks/", path(endpoint)):
        text = client.get(page).text
        assert "It answered 410 Gone: it wants no webhooks any more, and was switched off at once." in text
        assert URL in text
    assert client.get(path(endpoint)).context["page"].card.name == URL


def test_delivery_that_was_answered_gone(client: Client, endpoint: WebhookEndpoint) -> None:
    """N1: it was tried and has failed; what was never tried is cancelled."""
    tried = make_delivery(endpoint, state="cancelled", tries=1, error=GONE)
    never = make_delivery(endpoint, state="cancelled")
    assert "Failed: the endpoint is gone (410)" in client.get(path(endpoint, f"/deliveries/{tried.id}")).text
    shown = client.get(path(endpoint, f"/deliveries/{never.id}")).text
    assert ("Cancelled" in shown, "410" in shown) == (True, False)


def test_delivered_before_and_sent_again(client: Client, endpoint: WebhookEndpoint) -> None:
    """N1: the log and the page say of a failure that it was delivered before."""
    delivery = make_delivery(endpoint, state="delivered", delivered_at=AT, tries=1)
    for state, says in (("delivered", ""), ("pending", "is sent again"), ("failed", "sending it again has failed")):
        WebhookDelivery.objects.update(state=state)
        for page in (path(endpoint), path(endpoint, f"/deliveries/{delivery.id}")):
            text = client.get(page).text
            assert ("It was delivered before" in text, says in text) == (bool(says), True)


def test_log_is_filtered_and_goes_on(client: Client, endpoint: WebhookEndpoint) -> None:
    """N1, F1: newest first, by state and type, further rows in place of the last one."""
    for number in range(23):
        make_delivery(endpoint, state="failed", error=f"Answered {number}")
    make_delivery(endpoint, EventType.INVOICE_PAID, state="delivered", delivered_at=AT)
    page = client.get(path(endpoint)).context["page"]
    assert (len(page.log.rows), page.log.rows[0].state_name) == (20, "Delivered")
    rest = client.get(page.log.next_url, headers=HTMX)
    assert "<table" not in rest.text
    assert [row.error for row in rest.context["page"]["log"].rows] == [f"Answered {n}" for n in (3, 2, 1, 0)]
    assert "Back to the latest deliveries" in client.get(page.log.next_url).text
    for query, rows in (("state=failed", 20), ("type=invoice.paid", 1), ("state=pending", 0), ("state=odd", 20)):
        log = client.get(path(endpoint, f"?{query}"), headers=HTMX).context["page"]["log"]
        assert len(log.rows) == rows, query
    failed = client.get(path(endpoint, "?state=failed")).context["page"].log
    assert "state=failed" in failed.next_url
    for odd in ("whd_0", "1"):
        assert client.get(path(endpoint, f"?before={odd}")).status_code == 404


def test_delivery_shows_what_was_sent_and_answered(client: Client, endpoint: WebhookEndpoint) -> None:
    """N1: body and tries; what came back is shown as text, whatever it is."""
    delivery = make_delivery(endpoint, state="failed", error="It answered 500.", tries=2)
    make_attempt(delivery, 500, answer="<script>alert(1)</script>", error="It answered 500.", duration_ms=1234)
    make_attempt(delivery, None, answer="", error="No answer within 15 seconds.", manual=True)
    page = client.get(path(endpoint, f"/deliveries/{delivery.id}"))
    assert [row.state_name for row in page.context["page"].attempts] == ["No answer", "500"]
    assert "&quot;balance&quot;: &quot;8.41" in page.text
    assert "<script>alert" not in page.text
    assert "1234 ms" in page.text
    assert f"msg_{delivery.event_id.hex}" in page.text


def test_sent_again_and_awaited(client: Client, endpoint: WebhookEndpoint) -> None:
    """N1: the page looks by itself until the answer is there, and stops after a while."""
    delivery = make_delivery(endpoint, state="failed", error="It answered 500.", tries=9)
    page = path(endpoint, f"/deliveries/{delivery.id}")
    assert "hx-trigger" not in client.get(page).text
    assert client.post(f"{page}/again")["Location"] == page
    waiting = client.get(page)
    assert "looks=1" in waiting.text
    assert "looks=" not in client.get(f"{page}?looks=30", headers=HTMX).text
    WebhookDelivery.objects.update(state="delivered", delivered_at=AT)
    result = client.get(f"{page}?looks=3", headers=HTMX)
    assert ("hx-trigger" in result.text, "<html" in result.text) == (False, False)
    WebhookEndpoint.objects.update(**FAILING)
    assert "disabled" in client.post(f"{page}/again", follow=True).text


def test_test_event_and_its_result(client: Client, endpoint: WebhookEndpoint) -> None:
    """N1: beside its button, by itself, and in the log; without scripts on the delivery's page."""
    awaited = client.post(path(endpoint, "/test"), headers=HTMX)
    assert "Waiting for the answer" in awaited.text
    delivery = WebhookDelivery.objects.get()
    make_attempt(delivery, 204, answer="")
    WebhookDelivery.objects.update(state="delivered", delivered_at=AT)
    result = client.get(path(endpoint, f"/deliveries/{delivery.id}?part=test"), headers=HTMX)
    assert "The test event has arrived" in result.text
    assert "hx-trigger" not in result.text
    assert "webhook-sent" in awaited["HX-Trigger"]
    assert "webhook-sent" in result["HX-Trigger"]
    assert client.post(path(endpoint, "/test"))["Location"].startswith(path(endpoint, "/deliveries/"))


def test_strangers(customer: Customer, client: Client, endpoint: WebhookEndpoint) -> None:
    """F4: another tenant's are not found, nor is a delivery under another endpoint; without tenant.manage: 403."""
    delivery, other = make_delivery(endpoint), make_endpoint(customer.tenant)
    named = path(endpoint, f"/deliveries/{delivery.id}")
    stranger = make_client(make_customer("free").tenant)
    viewer = make_client(customer.tenant, Role.BILLING)
    for address in (path(endpoint), named):
        assert (stranger.get(address).status_code, viewer.get(address).status_code) == (404, 403)
    actions = ("/change", "/switch", "/rotate", "/remove", "/test", f"/deliveries/{delivery.id}/again")
    for address in (path(endpoint, rest) for rest in actions):
        assert (stranger.post(address).status_code, viewer.post(address).status_code) == (404, 403)
    assert client.get(path(other, f"/deliveries/{delivery.id}")).status_code == 404
    assert "Webhooks" not in [item.label for item in viewer.get("/").context["console"].nav]
    remove_endpoint(tenant_id=customer.tenant.id, endpoint_id=endpoint.id, actor=SYSTEM, at=AT)
    assert client.get(named).status_code == 404


def test_queries(customer: Customer, client: Client, django_assert_num_queries: QueryCount) -> None:
    """F1: the same for any number of endpoints, deliveries and tries."""
    for _ in range(3):
        endpoint = make_endpoint(customer.tenant)
        delivery = make_delivery(endpoint)
        make_delivery(endpoint)
        for _ in range(3):
            make_attempt(delivery, 500)
    with django_assert_num_queries(7):
        client.get("/webhooks/")
    with django_assert_num_queries(8):
        client.get(path(endpoint))
    with django_assert_num_queries(8):
        client.get(path(endpoint, f"/deliveries/{delivery.id}"))
