"""What was paid as a customer whom Stripe has deleted, and never heard of, is found by the comparison (S5)."""

import pytest

from billing.credits.models import TopUp
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import InvoiceSettlement
from billing.stripe_sync.services.reconcile import reconcile
from billing.stripe_sync.services.sync_charge import sync_charge
from sandbox.stripe.process import StripeSandbox
from tests.make import make_customer
from tests.money_make import money_of
from tests.stripe_sync.metered import call, make_subscriber, tell
from tests.stripe_sync.paying import open_purchase, press_pay, refund, stripe_now
from tests.stripe_sync.plans import advance, customer_of

pytestmark = pytest.mark.django_db
replaced = pytest.mark.parametrize("replaced", [False, True])


@replaced
def test_purchase(stripe_catalogue: StripeSandbox, *, replaced: bool) -> None:
    """M4, S5: paid credits are given, also where the account has another customer by now."""
    stripe, account = stripe_catalogue, make_customer("free").account
    press_pay(stripe, open_purchase(account, stripe))
    stripe_client().v1.customers.delete(customer_of(account.id))
    if replaced:
        open_purchase(account, stripe)
    advance(stripe, 8)
    reconcile(at=stripe_now(stripe))
    assert money_of(account) == ("20", "0", "0")


@replaced
def test_refund(stripe_catalogue: StripeSandbox, *, replaced: bool) -> None:
    """M4, S5: refunded credits are taken back."""
    stripe, account = stripe_catalogue, make_customer("free").account
    charge = press_pay(stripe, open_purchase(account, stripe))
    sync_charge(charge_id=charge.id, at=stripe_now(stripe))
    stripe_client().v1.customers.delete(customer_of(account.id))
    if replaced:
        open_purchase(account, stripe)
    refund(charge, 1050)
    advance(stripe, 8)
    reconcile(at=stripe_now(stripe))
    assert TopUp.objects.get(state="credited").taken_back == 10
    assert money_of(account) == ("10", "0", "0")


@replaced
def test_invoice(stripe_catalogue: StripeSandbox, *, replaced: bool) -> None:
    """S5, S7: usage that was paid is owed no more."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "100")
    tell(stripe)
    advance(stripe, 31)
    stripe_client().v1.customers.delete(customer_of(customer.account.id))
    if replaced:
        open_purchase(customer.account, stripe)
    advance(stripe, 8)
    reconcile(at=stripe_now(stripe))
    assert InvoiceSettlement.objects.get().settled > 0
    assert money_of(customer.account) == ("0", "0", "0")
