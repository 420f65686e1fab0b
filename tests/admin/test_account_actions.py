"""Granting credits and changing a plan by staff's hand."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from billing.credits.models import Grant
from billing.credits.services.check_ledger import check_ledger
from billing.subscriptions.models import BillingAccount, Subscription
from billing.subscriptions.queries import subscription_at
from tenants.models import AuditEvent
from tests.admin.records import make_override, make_user
from tests.make import AT, Customer, make_customer
from tests.money_make import money_of
from tests.subscriptions.test_apply_state import DAY, apply, state

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
PAGE = "admin:billing_subscriptions_billingaccount"


def address(customer: Customer, action: str) -> str:
    return reverse(f"{PAGE}_{action}", args=[customer.account.id])


def audited(customer: Customer) -> list[dict[str, Any]]:
    lines = AuditEvent.objects.filter(tenant=customer.tenant, actor_user__email="root@example.com")
    return [{"action": line.action} | line.detail for line in lines.order_by("id")]


def filled(staff: Client, customer: Customer, action: str, **said: Any) -> dict[str, Any]:
    """What a browser sends back: the form as it was rendered, with what staff have changed."""
    form = staff.get(address(customer, action)).context["form"]
    return {field.name: field.value() for field in form if field.value() is not None} | said


def grant_form(staff: Client, customer: Customer, **said: Any) -> dict[str, Any]:
    return filled(staff, customer, "grant_credits", amount="12.50", note="Goodwill") | said


def change_plan(staff: Client, customer: Customer, **said: Any) -> HttpResponse:
    """Send the form until it has been shown what it does, and then again."""
    url = address(customer, "change_plan")
    shown = staff.post(url, filled(staff, customer, "change_plan", **said))
    return staff.post(url, {field.name: field.value() for field in shown.context["form"]})


def test_credits_are_granted_once(staff: Client) -> None:
    """F2, M6, M1: sending the same form twice grants once, in the ledger and in the audit log."""
    customer = make_customer()
    form = grant_form(staff, customer, source="promotion", priority="50", expires_at="2099-01-01T00:00")
    for _ in range(2):
        assert staff.post(address(customer, "grant_credits"), form)["HX-Redirect"]
    assert "granted once" in staff.get(reverse(f"{PAGE}_change", args=[customer.account.id])).text
    grant = Grant.objects.get()
    assert (grant.source, grant.priority, grant.expires_at.isoformat()) == (
        "promotion", 50, "2099-01-01T00:00:00+00:00",
    )  # fmt: skip
    assert money_of(customer.account) == ("12.5", "0", "0")
    assert [(line["action"], line["amount"], line["note"]) for line in audited(customer)] == [
        ("credits.granted", "12.50", "Goodwill")
    ]
    assert check_ledger(at=now()) == []


def test_form_that_is_opened_again_grants_again(staff: Client) -> None:
    """F2, M6: each rendering has a key of its own."""
    customer = make_customer()
    for _ in range(2):
        staff.post(address(customer, "grant_credits"), grant_form(staff, customer))
    assert money_of(customer.account) == ("25", "0", "0")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"expires_at": "2020-01-01T00:00"}, "This has passed."),
        ({"amount": "0"}, "A grant needs an amount above zero."),
        ({"amount": "-1"}, "greater than or equal to 0"),
        ({"amount": "many"}, "Enter a number."),
        ({"note": ""}, "This field is required."),
    ],
)
def test_grant_that_makes_no_sense_is_refused(staff: Client, wrong: dict[str, str], message: str) -> None:
    """F2, M6: the form says what is wrong, and nothing moves."""
    customer = make_customer()
    response = staff.post(address(customer, "grant_credits"), grant_form(staff, customer, **wrong))
    assert (response.status_code, message in response.text) == (200, True)
    assert not Grant.objects.exists()


def test_form_with_another_amount_is_told_so(staff: Client) -> None:
    """F2, M1: a key stands for one grant, whatever is typed over it afterwards."""
    customer = make_customer()
    form = grant_form(staff, customer)
    staff.post(address(customer, "grant_credits"), form)
    assert "stands for another transfer" in staff.post(address(customer, "grant_credits"), form | {"amount": "99"}).text
    assert money_of(customer.account) == ("12.5", "0", "0")


def test_change_of_plan_is_shown_first(staff: Client) -> None:
    """F2, P3, P10: what will differ stands side by side, staff's exceptions counted in, and nothing has changed."""
    customer = make_customer("free")
    make_override(customer, "sandbox_tries_per_day", 9)
    form = filled(staff, customer, "change_plan", plan="team", seats="3")
    shown = staff.post(address(customer, "change_plan"), form)
    rows = {name: (before, then) for name, before, then in shown.context["form"].changes["rows"]}
    assert rows["Plan"] == ("Free v1", "Team v1")
    assert rows["Price"] == ("0.00 USD (monthly, standard)", "87.00 USD (monthly, standard)")
    assert rows["Executions per month"][1] == "75,000"
    assert "Sandbox tries per day" not in rows
    assert "Nothing has changed yet." in shown.text
    assert subscription_at(customer.account.id, now()).plan_version.plan.slug == "free"


def test_plan_is_changed(staff: Client) -> None:
    """F2, P2, P10: confirmed, the account is on the plan at once, and the audit log says from what to what."""
    customer = make_customer("free")
    response = change_plan(staff, customer, plan="team", interval="yearly", seats="3")
    assert response["HX-Redirect"] == reverse(f"{PAGE}_change", args=[customer.account.id])
    now_on = subscription_at(customer.account.id, now())
    assert (str(now_on.plan_version), now_on.interval, now_on.seats) == ("Team v1", "yearly", 3)
    assert audited(customer) == [
        {
            "action": "plan.changed",
            "from": {"plan": "Free v1", "interval": "monthly", "variant": "standard", "seats": 1},
            "to": {"plan": "Team v1", "interval": "yearly", "variant": "standard", "seats": 3},
        }
    ]


def test_other_choice_is_shown_anew(staff: Client) -> None:
    """P10: what was confirmed is what was shown, not what was typed afterwards."""
    customer = make_customer("free")
    url = address(customer, "change_plan")
    shown = staff.post(url, filled(staff, customer, "change_plan", plan="team"))
    form = {field.name: field.value() for field in shown.context["form"]}
    again = staff.post(url, form | {"plan": "pro"})
    assert ["Plan", "Free v1", "Pro v1"] in again.context["form"].changes["rows"]
    assert Subscription.objects.count() == 1


def test_paid_plan_is_not_overruled(staff: Client) -> None:
    """S4: staff are told that the account's plan follows what it pays for, and where to change that."""
    customer = make_customer("free")
    apply(customer, state(), at=AT + DAY)
    assert "pays for Pro v1 by its subscription sub_1" in change_plan(staff, customer, plan="team").text
    assert Subscription.objects.get(ends_at=None).plan_version.plan.slug == "pro"


def test_same_plan_again_changes_nothing(staff: Client) -> None:
    """P10: a second click neither begins a new period nor writes a line."""
    customer = make_customer("pro")
    assert "on these terms already" in change_plan(staff, customer).text
    assert Subscription.objects.count() == 1
    assert audited(customer) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"plan": "platform-scale", "variant": "byok"}, "has no monthly price for the variant byok"),
        ({"plan": "nothing"}, "Select a valid choice"),
        ({"seats": "0"}, "greater than or equal to 1"),
    ],
)
def test_plan_that_is_not_offered_is_refused(staff: Client, wrong: dict[str, str], message: str) -> None:
    """P2: the form says why."""
    customer = make_customer("free")
    response = staff.post(address(customer, "change_plan"), filled(staff, customer, "change_plan", **wrong))
    assert (response.status_code, message in response.text) == (200, True)
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize("action", ["grant_credits", "change_plan"])
def test_clerk_needs_the_right(client: Client, action: str) -> None:
    """F2: who may only look has no button and no form; who may change accounts has both."""
    customer, clerk = make_customer(), make_user("clerk@example.com", is_staff=True)
    client.force_login(clerk)
    page, url = reverse(f"{PAGE}_change", args=[customer.account.id]), address(customer, action)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_billingaccount"))
    assert (url in client.get(page).text, client.post(url).status_code) == (False, 403)
    clerk.user_permissions.set(Permission.objects.filter(codename="change_billingaccount"))
    assert (url in client.get(page).text, client.get(url).status_code) == (True, 200)


@pytest.mark.parametrize("object_id", ["00000000-0000-0000-0000-000000000000", "nonsense"])
def test_unknown_account_is_not_found(staff: Client, object_id: str) -> None:
    """F2: an address that leads nowhere says so."""
    assert not BillingAccount.objects.exists()
    response = staff.get(reverse(f"{PAGE}_change_plan", args=[object_id]))
    assert response.status_code == 404
