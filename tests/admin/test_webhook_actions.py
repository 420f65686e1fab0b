"""What staff do to customers' webhooks (N1, F2)."""

import pytest
from django.contrib.auth.models import Permission as StaffPermission
from django.test import Client
from django.urls import reverse

from billing.notifications.models import WebhookDelivery, WebhookEndpoint
from billing.notifications.services.remove_endpoint import remove_endpoint
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.admin.records import make_records, make_user
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

CONFIRMED = {"_form_submitted": "True"}


def button(row: WebhookEndpoint | WebhookDelivery, action: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{action}", args=[row.pk])


def act(staff: Client, row: WebhookEndpoint | WebhookDelivery, action: str) -> None:
    assert "HX-Redirect" in staff.post(button(row, action), CONFIRMED)


@pytest.fixture
def endpoint() -> WebhookEndpoint:
    make_records()
    return WebhookEndpoint.objects.get()


def test_endpoint_is_switched_off_and_on(staff: Client, endpoint: WebhookEndpoint) -> None:
    """N1: asked first; the customer's audit log names who did it; the page offers what can be done alone."""
    page = button(endpoint, "change")
    assert staff.get(button(endpoint, "disable")).status_code == 200
    for action, state, other in (("disable", "disabled", "enable"), ("enable", "enabled", "disable")):
        act(staff, endpoint, action)
        endpoint.refresh_from_db()
        assert endpoint.state == state
        shown = staff.get(page).text
        assert (button(endpoint, action) in shown, button(endpoint, other) in shown) == (False, True)
    lines = AuditEvent.objects.filter(action__startswith="webhook_endpoint.", actor_user__is_staff=True)
    assert sorted(lines.values_list("action", flat=True)) == ["webhook_endpoint.disabled", "webhook_endpoint.enabled"]
    remove_endpoint(tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, actor=SYSTEM, at=AT)
    shown = staff.get(page).text
    assert "removed" in shown
    assert not any(button(endpoint, action) in shown for action in ("disable", "enable"))


def test_delivery_is_sent_again(staff: Client, endpoint: WebhookEndpoint) -> None:
    """N1: under the same id, in the audit log; not to an endpoint that is switched off or removed."""
    delivery = WebhookDelivery.objects.get()
    act(staff, delivery, "send_again")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("pending", 0)
    assert AuditEvent.objects.get(action="webhook_endpoint.redelivered").actor_user is not None
    act(staff, endpoint, "disable")
    act(staff, delivery, "send_again")
    remove_endpoint(tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, actor=SYSTEM, at=AT)
    act(staff, delivery, "send_again")
    told = [str(message) for message in staff.get(button(delivery, "change")).context["messages"]]
    assert "The customer has removed the endpoint." in told
    delivery.refresh_from_db()
    assert delivery.state == "cancelled"


def test_title_is_the_address(staff: Client, endpoint: WebhookEndpoint) -> None:
    """F2: as it is written, not with a capital; other titles have theirs."""
    shown = staff.get(button(endpoint, "change")).text
    assert f">{endpoint.url}</a>" in shown
    assert ">Webhook endpoints</a>" in shown
    assert endpoint.url.capitalize() not in shown


def test_log_of_an_endpoint(staff: Client, endpoint: WebhookEndpoint) -> None:
    """F2: its page links to its deliveries, which are filtered by type as well."""
    log = reverse("admin:billing_notifications_webhookdelivery_changelist")
    linked = f"{log}?endpoint__id__exact={endpoint.pk}"
    assert linked in staff.get(button(endpoint, "change")).text
    for query, rows in ((linked, 1), (f"{log}?type=balance.low", 1), (f"{log}?type=invoice.paid", 0)):
        assert staff.get(query).context["cl"].result_count == rows, query


def test_staff_without_the_permission_only_look(client: Client, endpoint: WebhookEndpoint) -> None:
    """F2: seeing is no leave to act."""
    clerk = make_user("clerk@example.com", is_staff=True)
    seen = ("view_webhookendpoint", "view_webhookdelivery")
    clerk.user_permissions.set(StaffPermission.objects.filter(codename__in=seen))
    client.force_login(clerk)
    assert button(endpoint, "disable") not in client.get(button(endpoint, "change")).text
    for row, action in ((endpoint, "disable"), (WebhookDelivery.objects.get(), "send_again")):
        assert client.post(button(row, action), CONFIRMED).status_code == 403
    endpoint.refresh_from_db()
    assert endpoint.state == "enabled"
