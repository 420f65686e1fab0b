"""Copies of Stripe's objects in the staff admin, as they come from Stripe."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from djstripe import models

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.mirror import mirror
from billing.stripe_sync.models import StripeCustomer
from billing.stripe_sync.services.connect_stripe import connect_stripe
from billing.stripe_sync.services.sync_checkout import sync_checkout
from sandbox.stripe.process import TEST_KEY, StripeSandbox
from tests.make import AT, Customer, make_customer
from tests.stripe_sync.paying import DISPUTED, open_purchase, press_pay, refund
from tests.stripe_sync.test_drift import pay

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
COPIED = [model for model in admin.site._registry if model._meta.app_label == "djstripe"]


def page(model: Any, name: str, *args: Any) -> str:
    return reverse(f"admin:djstripe_{model._meta.model_name}_{name}", args=args)


@pytest.fixture
def life(stripe: StripeSandbox) -> Customer:
    """A customer who paid for a plan and for credits, was refunded, disputed, and a creator who was paid."""
    connect_stripe(origin="https://quaestor.example", at=AT)
    customer, client = make_customer("free"), stripe_client()
    sync_checkout(session_id=pay(stripe, customer), at=AT)
    refunded = press_pay(stripe, open_purchase(customer.account, stripe))
    mirror(refund(refunded, 500))
    disputed = press_pay(stripe, open_purchase(customer.account, stripe), card=DISPUTED)
    customer_id = StripeCustomer.objects.get().customer_id
    found: list[Any] = [
        *client.v1.invoices.list({"customer": customer_id}).data,
        *client.v1.checkout.sessions.list({"customer": customer_id}).data,
        *client.v1.payment_intents.list({"customer": customer_id}).data,
        *client.v1.disputes.list({"charge": disputed.id}).data,
    ]
    for thing in found:
        mirror(thing)
    return customer


@pytest.mark.parametrize("model", COPIED, ids=lambda model: model.__name__)
def test_real_copies_have_pages(model: Any, staff: Client, life: Customer) -> None:
    """S1: list and page of whatever Stripe gave us answer, show no secret, and find it by its id."""
    row = model.objects.first()
    if row is None:
        assert model is models.Transfer
        return
    listed = staff.get(page(model, "changelist"), {"q": row.id})
    shown = staff.get(page(model, "change", row.pk))
    assert (listed.status_code, shown.status_code, listed.context["cl"].result_count) == (200, 200, 1)
    assert TEST_KEY not in listed.text + shown.text
    assert "whsec_" not in listed.text + shown.text
    assert staff.post(page(model, "change", row.pk)).status_code == 403
    assert staff.post(page(model, "delete", row.pk)).status_code == 403
    assert staff.get(page(model, "add")).status_code == 403


def test_invoice_says_what_it_is_for(staff: Client, life: Customer) -> None:
    """S1: dollars as dollars, its subscription, its lines, both pages of it."""
    row = models.Invoice.objects.get()
    text = staff.get(page(models.Invoice, "change", row.pk)).text
    assert "9.00 USD" in text
    assert row.stripe_data["parent"]["subscription_details"]["subscription"] in text
    assert row.stripe_data["invoice_pdf"] in text
    assert row.stripe_data["number"] in staff.get(page(models.Invoice, "changelist")).text
    assert "900.00" not in text


def test_customer_leads_to_its_account(staff: Client, life: Customer) -> None:
    """S1: whose it is."""
    text = staff.get(page(models.Customer, "change", models.Customer.objects.get().pk)).text
    assert reverse("admin:billing_subscriptions_billingaccount_change", args=[life.account.id]) in text


def test_keys_have_no_page() -> None:
    """S1: API keys are neither shown nor taken."""
    for model in (models.APIKey, models.WebhookEventTrigger, models.IdempotencyKey):
        assert not admin.site.is_registered(model)
