"""Taking a usage event back in the staff admin."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing.core.ids import decode_id, encode_id
from billing.usage.models import UsageEvent
from tenants.models import AuditEvent
from tests.admin.records import make_user
from tests.make import Customer, make_customer
from tests.money_make import event, money_of, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
PAGE = "admin:billing_usage_usageevent"
SAID = {"_form_submitted": "True", "reason": "Reported twice"}


def reported(customer: Customer) -> UsageEvent:
    return UsageEvent.objects.get(id=decode_id("evt", str(report(customer, event())[0].event_id)))


def page(event: UsageEvent) -> str:
    return reverse(f"{PAGE}_change", args=[event.id])


def button(event: UsageEvent) -> str:
    return reverse(f"{PAGE}_reverse", args=[event.id])


def test_event_is_taken_back(staff: Client) -> None:
    """U3, F2: the reversal is shown, both pages lead to each other, and the audit log has who and why."""
    customer = make_customer(balance="1")
    wrong = reported(customer)
    response = staff.post(button(wrong), SAID)
    reversal = UsageEvent.objects.get(reverses_id=wrong.id)
    assert response["HX-Redirect"] == page(reversal)
    assert (
        f'takes <a class="text-link" href="{page(wrong)}">{encode_id("evt", wrong.id)}'
        in staff.get(page(reversal)).text
    )
    assert f'taken back by <a class="text-link" href="{page(reversal)}">' in staff.get(page(wrong)).text
    assert money_of(customer.account) == ("1", "0", "0")
    line = AuditEvent.objects.get(action="usage_event.reversed")
    assert (line.actor_user and line.actor_user.email, line.detail["reason"]) == ("root@example.com", "Reported twice")


def test_reason_is_required(staff: Client) -> None:
    """U3: opening the dialog, or sending it without a reason, takes nothing back."""
    wrong = reported(make_customer(balance="1"))
    assert staff.get(button(wrong)).status_code == 200
    assert "This field is required." in staff.post(button(wrong), SAID | {"reason": " "}).text
    assert UsageEvent.objects.count() == 1


def test_what_is_corrected_has_no_button(staff: Client) -> None:
    """U3: neither a reversal nor what it took back is reversed (again)."""
    wrong = reported(make_customer(balance="1"))
    assert button(wrong) in staff.get(page(wrong)).text
    staff.post(button(wrong), SAID)
    for one in UsageEvent.objects.all():
        assert button(one) not in staff.get(page(one)).text
        assert staff.post(button(one), SAID).status_code == 403
    assert UsageEvent.objects.count() == 2


def test_clerk_needs_the_right(client: Client) -> None:
    """F2: who may only look takes nothing back."""
    wrong, clerk = reported(make_customer(balance="1")), make_user("clerk@example.com", is_staff=True)
    client.force_login(clerk)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_usageevent"))
    assert (button(wrong) in client.get(page(wrong)).text, client.post(button(wrong), SAID).status_code) == (False, 403)
    clerk.user_permissions.set(Permission.objects.filter(codename="change_usageevent"))
    assert client.post(button(wrong), SAID).status_code == 200
    assert UsageEvent.objects.count() == 2
