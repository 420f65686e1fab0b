"""Creators by staff's hand: opening them, sales, onboarding, payouts."""

from typing import Any

import httpx
import pytest
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from billing.credits.models import Creator, Payout, Sale
from billing.credits.services.check_ledger import check_ledger
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.services.sync_connected_account import sync_connected_account
from sandbox.stripe.process import StripeSandbox
from tenants.models import AuditEvent
from tests.admin.records import make_user
from tests.credits.make import make_creator, make_wallet, owed_to, sell
from tests.make import make_customer, make_tenant
from tests.money_make import money_of
from tests.stripe_sync.paying import open_purchase, press_pay

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
PAGE = "admin:billing_credits_creator"


def address(creator: Creator, action: str) -> str:
    return reverse(f"{PAGE}_{action}", args=[creator.id])


def filled(staff: Client, creator: Creator, action: str, **said: Any) -> dict[str, Any]:
    """What a browser sends back: the form as it was rendered, with what staff have changed."""
    form = staff.get(address(creator, action)).context["form"]
    return {field.name: field.value() for field in form if field.value() is not None} | said


def page(staff: Client, creator: Creator) -> str:
    return staff.get(reverse(f"{PAGE}_change", args=[creator.id])).text


def pay_out(staff: Client, creator: Creator) -> HttpResponse:
    return staff.post(address(creator, "pay_out"), filled(staff, creator, "pay_out"))


def make_payable(stripe: StripeSandbox, funds: str) -> Creator:
    press_pay(stripe, open_purchase(make_customer().account, stripe, funds))
    creator = make_creator(is_ready=False)
    sell(creator, make_wallet("10"))
    return creator


def onboard(staff: Client, creator: Creator) -> None:
    """Follow the link that staff are shown, and finish."""
    assert staff.post(address(creator, "onboard"), {"_form_submitted": "True"})["HX-Redirect"]
    shown = page(staff, creator)
    url = shown.partition("For ")[2].partition('href="')[2].partition('"')[0]
    assert httpx.post(url).is_redirect
    assert sync_connected_account(external_account=Creator.objects.get(id=creator.id).external_account)


def test_tenant_becomes_a_creator(staff: Client) -> None:
    """M10: once, in a currency that there is, with a line in its audit log."""
    tenant = make_tenant()
    wrong = staff.post(reverse(f"{PAGE}_add"), {"tenant": tenant.id, "currency": "XYZ"})
    assert "no ISO 4217 currency" in wrong.text
    for status in (302, 200):
        assert staff.post(reverse(f"{PAGE}_add"), {"tenant": tenant.id, "currency": "usd"}).status_code == status
    assert Creator.objects.get().payable.currency == "USD"
    line = AuditEvent.objects.get(tenant=tenant, action="creator.opened")
    assert line.actor_user is not None


def test_sale_is_recorded_once(staff: Client) -> None:
    """M10: the same form twice sells once; buyer by slug or by id, both sides' audit logs tell."""
    creator, customer = make_creator(), make_customer(balance="30")
    form = filled(staff, creator, "record_sale", buyer=customer.tenant.slug, item="Agent", amount="10")
    for _ in range(2):
        assert staff.post(address(creator, "record_sale"), form)["HX-Redirect"]
    form = filled(staff, creator, "record_sale", buyer=str(customer.account.id), item="Agent", amount="10")
    assert staff.post(address(creator, "record_sale"), form)["HX-Redirect"]
    assert Sale.objects.count() == 2
    assert money_of(customer.account) == ("10", "0", "0")
    assert "16.00" in page(staff, creator)
    assert AuditEvent.objects.filter(action="sale.recorded").count() == 4
    assert check_ledger(at=now()) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"buyer": "nobody"}, "There is no such billing account."),
        ({"amount": "0"}, "greater than or equal to 0.01"),
        ({"amount": "30.01"}, "30.01"),
        ({"item": ""}, "This field is required."),
    ],
)
def test_sale_that_makes_no_sense(staff: Client, wrong: dict[str, str], message: str) -> None:
    """M10: the form says what is wrong, and nothing moves."""
    creator, customer = make_creator(), make_customer(balance="30")
    said = {"buyer": customer.tenant.slug, "item": "Agent", "amount": "10"} | wrong
    response = staff.post(address(creator, "record_sale"), filled(staff, creator, "record_sale", **said))
    assert message in response.text
    assert not Sale.objects.exists()


def test_creator_is_onboarded_and_paid(staff: Client, stripe: StripeSandbox) -> None:
    """M10: the link, then the money; what is owed is shown before."""
    creator = make_payable(stripe, "100")
    assert "not ready" in pay_out(staff, creator).text
    onboard(staff, creator)
    assert "8.00 USD" in staff.get(address(creator, "pay_out")).text
    assert pay_out(staff, creator)["HX-Redirect"]
    assert "8.00 USD was sent." in page(staff, creator)
    assert Payout.objects.get().state == Payout.State.PAID
    assert len(stripe_client().v1.transfers.list().data) == 1
    assert "Nothing is owed" in pay_out(staff, creator).text
    actor = AuditEvent.objects.get(action="payout.opened").actor_user
    assert actor is not None


def test_refused_payout_is_told(staff: Client, stripe: StripeSandbox) -> None:
    """M10: staff read why, and that it is owed again."""
    creator = make_payable(stripe, "5")
    onboard(staff, creator)
    assert pay_out(staff, creator)["HX-Redirect"]
    assert "was refused and is owed again: You have insufficient funds" in page(staff, creator)
    assert owed_to(creator) == "8"


def test_unknown_outcome_is_told(staff: Client, stripe: StripeSandbox) -> None:
    """M10: where Stripe does not answer, staff read that it is asked again."""
    creator = make_payable(stripe, "100")
    onboard(staff, creator)
    stripe.call("POST", "/_sandbox/faults", {"path": "/v1/transfers", "kind": "timeout", "times": 3})
    assert pay_out(staff, creator)["HX-Redirect"]
    assert "is on its way" in page(staff, creator)
    assert owed_to(creator) == "0"


def test_more_is_owed_by_now(staff: Client) -> None:
    """M10: what is paid is what was shown."""
    creator, wallet = make_creator(), make_wallet("20")
    sell(creator, wallet)
    form = filled(staff, creator, "pay_out")
    sell(creator, wallet)
    assert "Something else is owed by now" in staff.post(address(creator, "pay_out"), form).text
    assert not Payout.objects.exists()


def test_without_stripe(staff: Client) -> None:
    """S6: a sentence in the dialog or on the page, and nothing moves."""
    creator = make_creator()
    sell(creator, make_wallet("10"))
    assert "Payments are not set up" in pay_out(staff, creator).text
    staff.post(address(creator, "onboard"), {"_form_submitted": "True"})
    assert "Payments are not set up" in page(staff, creator)
    assert owed_to(creator) == "8"


def test_each_button_needs_its_permission(client: Client) -> None:
    """F2: who may only look, may only look."""
    clerk = make_user("clerk@example.com", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_creator"))
    client.force_login(clerk)
    creator = make_creator()
    assert client.get(reverse(f"{PAGE}_change", args=[creator.id])).status_code == 200
    for action in ("record_sale", "onboard", "pay_out"):
        assert client.post(address(creator, action)).status_code == 403
