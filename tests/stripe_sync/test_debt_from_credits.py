"""What is owed without a subscription is paid from the next credits."""

import pytest

from billing.credits.models import Transfer
from billing.credits.queries import balance_of
from billing.credits.services.check_ledger import check_ledger
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.services.sync_charge import sync_charge
from billing.stripe_sync.services.sync_checkout import sync_checkout
from sandbox.stripe.process import StripeSandbox
from tests.make import Customer, make_customer
from tests.money_make import money_of, owe, spend
from tests.stripe_sync.metered import call, make_subscriber, tell
from tests.stripe_sync.paying import open_purchase, press_pay, refund, session_of, stripe_now
from tests.stripe_sync.plans import look

pytestmark = pytest.mark.django_db


def buy(customer: Customer, stripe: StripeSandbox, amount: str = "20") -> str:
    """Buy credits; the page is looked at twice."""
    opened = open_purchase(customer.account, stripe, amount)
    charge = press_pay(stripe, opened)
    for _ in range(2):
        sync_checkout(session_id=session_of(opened), at=stripe_now(stripe))
    assert check_ledger(at=stripe_now(stripe)) == []
    return charge.id


def test_new_credits_pay_old_debt_once(stripe_catalogue: StripeSandbox) -> None:
    """M4: a line of the ledger says so; debt that comes later waits for the next purchase."""
    stripe = stripe_catalogue
    customer = make_customer("free")
    owe(customer.account.receivable, "12.345")
    charge = buy(customer, stripe)
    assert money_of(customer.account) == ("7.655", "0", "0")
    line = Transfer.objects.get(reason="payment")
    assert (line.description, line.amount.normalize()) == ("Paid from credits: what was owed before", line.amount)
    owe(customer.account.receivable, "1")
    sync_charge(charge_id=charge, at=stripe_now(stripe))
    assert money_of(customer.account) == ("7.655", "0", "1")
    owe(customer.account.receivable, "49")
    buy(customer, stripe)
    assert money_of(customer.account) == ("7.655", "0", "30")


def test_refund_of_spent_credits_is_collected(stripe_catalogue: StripeSandbox) -> None:
    """M4: what a refund could not take back comes off the next purchase; a refund of that one is owed again."""
    stripe = stripe_catalogue
    customer = make_customer("free")
    charge = stripe_client().v1.charges.retrieve(buy(customer, stripe))
    spend(customer.account.credits, "15")
    refund(charge, 2100)
    sync_charge(charge_id=charge.id, at=stripe_now(stripe))
    assert money_of(customer.account) == ("0", "0", "15")
    second = stripe_client().v1.charges.retrieve(buy(customer, stripe))
    assert money_of(customer.account) == ("5", "0", "0")
    refund(second, 2100)
    sync_charge(charge_id=second.id, at=stripe_now(stripe))
    assert money_of(customer.account) == ("0", "0", "15")
    assert check_ledger(at=stripe_now(stripe)) == []


def test_subscription_invoices_what_is_owed(stripe_catalogue: StripeSandbox) -> None:
    """M4, S7: credits are left alone while an invoice will ask for the usage, or one that is open does."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "1000")
    tell(stripe)
    buy(customer, stripe)
    assert money_of(customer.account) == ("20", "0", "18")
    client = stripe_client()
    (subscription,) = client.v1.subscriptions.list({"limit": 1}).data
    bad = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": str(subscription.customer)})
    client.v1.subscriptions.update(subscription.id, {"default_payment_method": bad.id})
    client.v1.subscriptions.cancel(subscription.id, {"invoice_now": True})
    look(customer.account, stripe)
    assert [one.status for one in client.v1.invoices.list({"limit": 1}).data] == ["open"]
    call(customer, stripe, "100")
    owed = balance_of(
        credits_id=customer.account.credits_id, receivable_id=customer.account.receivable_id, at=stripe_now(stripe)
    ).owed
    buy(customer, stripe)
    assert money_of(customer.account)[2] == "18"
    assert owed > 18
