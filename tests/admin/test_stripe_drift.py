"""The drift report in the staff admin."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing.stripe_sync.admin import drift
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import ArrearsInvoice, DriftFinding, StripePrice
from billing.stripe_sync.services.find_catalogue_drift import find_catalogue_drift
from billing.stripe_sync.services.find_drift import find_drift
from sandbox.stripe.process import StripeSandbox
from tests.admin.records import make_user
from tests.make import AT, make_customer
from tests.stripe_sync.test_arrears import make_former
from tests.stripe_sync.test_drift import pay, plan

pytestmark = pytest.mark.django_db
LIST = "admin:billing_stripe_sync_driftfinding_changelist"
LOOK_ALL, REPAIR_ALL = (f"admin:billing_stripe_sync_driftfinding_{name}" for name in ("look_now", "repair_all"))
SAID = {"_form_submitted": "True"}


def page(finding: DriftFinding, name: str = "change") -> str:
    return reverse(f"admin:billing_stripe_sync_driftfinding_{name}", args=[finding.id])


def test_staff_look_and_repair(staff: Client, stripe_catalogue: StripeSandbox) -> None:
    """S5: looking shows what differs and changes nothing; repairing takes over what Stripe has."""
    customer = make_customer("free")
    pay(stripe_catalogue, customer)
    assert reverse(LOOK_ALL) in staff.get(reverse(LIST)).text
    assert staff.get(reverse(LOOK_ALL)).status_code == 200
    assert not DriftFinding.objects.exists()
    assert staff.post(reverse(LOOK_ALL), SAID)["HX-Redirect"] == reverse(LIST)
    assert "1 customers compared, 1 differed." in staff.get(reverse(LIST)).text
    assert plan(customer) == "free"
    staff.post(reverse(REPAIR_ALL), SAID)
    assert "1 differed, 1 repaired." in staff.get(reverse(LIST)).text
    assert plan(customer) == "pro"
    assert not DriftFinding.objects.filter(repaired_at=None).exists()


def test_one_account_is_repaired(staff: Client, stripe_catalogue: StripeSandbox) -> None:
    """S5: from the page of a finding."""
    customer = make_customer("free")
    pay(stripe_catalogue, customer)
    finding = find_drift(account_id=customer.account.id, at=AT)[0]
    assert str(customer.account) in staff.get(page(finding)).text
    staff.post(page(finding, "look"), SAID)
    assert "3 differences are open." in staff.get(page(finding)).text
    staff.post(page(finding, "repair"), SAID)
    assert "0 differences are open." in staff.get(page(finding)).text
    assert plan(customer) == "pro"


def test_catalogue_is_repaired(staff: Client, stripe_catalogue: StripeSandbox) -> None:
    """S5: a price that somebody archived is for sale again."""
    price = StripePrice.objects.all()[0]
    stripe_client().v1.prices.update(price.price_id, {"active": False})
    finding = find_catalogue_drift(at=AT)[0]
    assert "The catalogue" in staff.get(page(finding)).text
    staff.post(page(finding, "repair"), SAID)
    assert stripe_client().v1.prices.retrieve(price.price_id).active
    finding.refresh_from_db()
    assert finding.repaired_at is not None


def test_what_nobody_bills_is_invoiced(staff: Client, stripe_catalogue: StripeSandbox) -> None:
    """S7: from its finding, the amount that staff saw and no other; any other finding has nothing to invoice."""
    customer = make_former(stripe_catalogue)
    finding = next(row for row in find_drift(account_id=customer.account.id, at=AT) if row.kind == "usage owed")
    assert "1.80 USD owed" in staff.get(page(finding)).text
    assert staff.get(page(finding, "invoice_arrears")).status_code == 200
    DriftFinding.objects.filter(id=finding.id).update(ours="1.00 USD owed")
    staff.post(page(finding, "invoice_arrears"), SAID)
    assert "The amount has changed" in staff.get(page(finding)).text
    assert not ArrearsInvoice.objects.exists()
    staff.post(page(finding, "invoice_arrears"), SAID)
    assert "over 1.80 USD: paid." in staff.get(page(finding)).text
    finding.refresh_from_db()
    assert finding.repaired_at is not None


def test_outage_is_said_in_words(staff: Client, stripe_catalogue: StripeSandbox) -> None:
    """S5: no error page while Stripe is away."""
    customer = make_customer("free")
    pay(stripe_catalogue, customer)
    finding = find_drift(account_id=customer.account.id, at=AT)[0]
    stripe_catalogue.call("POST", "/_sandbox/faults", {"path": "/v1/", "kind": "status", "status": 503, "times": 99})
    for url in (page(finding, "repair"), reverse(LOOK_ALL)):
        assert staff.post(url, SAID).status_code == 200
        assert "Stripe did not answer as it should" in staff.get(page(finding)).text


def test_many_customers_are_left_to_a_worker(
    staff: Client, stripe_catalogue: StripeSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S5: a request does not wait for thousands of reads."""
    asked: list[bool] = []
    monkeypatch.setattr(drift, "_MOST_AT_ONCE", 0)
    monkeypatch.setattr(drift.compare_with_stripe, "delay", lambda *, repair: asked.append(repair))
    pay(stripe_catalogue, make_customer("free"))
    staff.post(reverse(REPAIR_ALL), SAID)
    assert "a worker compares them" in staff.get(reverse(LIST)).text
    assert asked == [True]


def test_clerk_needs_the_right(client: Client, stripe_catalogue: StripeSandbox) -> None:
    """F2: who may only look at the report repairs nothing."""
    clerk = make_user("clerk@example.com", is_staff=True)
    client.force_login(clerk)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_driftfinding"))
    assert client.post(reverse(REPAIR_ALL), SAID).status_code == 403
    assert reverse(REPAIR_ALL) not in client.get(reverse(LIST)).text
