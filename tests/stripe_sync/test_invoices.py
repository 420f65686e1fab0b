"""Invoices at Stripe: copied, and usage on paid ones settled."""

from decimal import Decimal

import pytest
import stripe as stripe_sdk

from billing.credits.models import Grant, Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import InvoiceSettlement
from billing.stripe_sync.services.push_catalogue import push_catalogue
from billing.stripe_sync.services.sync_invoice import sync_invoice
from billing.usage.services.reverse_event import reverse_event
from sandbox.stripe.process import StripeSandbox
from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer, make_credits
from tests.money_make import in_threads, money_of
from tests.stripe_sync.metered import call, counted, make_subscriber, tell
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import advance, customer_of, look

db = pytest.mark.django_db


def invoices(customer: Customer) -> list[stripe_sdk.Invoice]:
    """At Stripe, newest first."""
    found = stripe_client().v1.invoices.list({"customer": customer_of(customer.account.id), "limit": 20})
    return found.data


def read_all(customer: Customer, stripe: StripeSandbox) -> None:
    """What the events of all invoices do."""
    for invoice in invoices(customer):
        assert sync_invoice(invoice_id=invoice.id, at=stripe_now(stripe))
    look(customer.account, stripe)


def next_period(customer: Customer, stripe: StripeSandbox) -> None:
    advance(stripe, 32)
    read_all(customer, stripe)


@db
def test_paid_invoice_settles_usage(stripe_catalogue: StripeSandbox) -> None:
    """S7: the metered line is what was owed, to the cent; the part of a cent that no card can pay stays owed."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "100.2")  # 1.8036
    tell(stripe)
    next_period(customer, stripe)
    assert money_of(customer.account) == ("0", "0", "0.0036")
    settlement = InvoiceSettlement.objects.get()
    assert (settlement.metered, settlement.settled) == (Decimal("1.8"), Decimal("1.8"))
    read_all(customer, stripe)
    assert money_of(customer.account) == ("0", "0", "0.0036")
    assert Transfer.objects.get(reason="payment").idempotency_key == f"invoice:{settlement.invoice_id}"
    assert check_ledger(at=stripe_now(stripe)) == []


@db
def test_rounding_up_forgives(stripe_catalogue: StripeSandbox) -> None:
    """S7: never more than is owed comes off, and what Stripe rounded up makes no credits."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "99.8")  # 1.7964
    tell(stripe)
    next_period(customer, stripe)
    assert money_of(customer.account) == ("0", "0", "0")
    settlement = InvoiceSettlement.objects.get()
    assert (settlement.metered, settlement.settled) == (Decimal("1.8"), Decimal("1.7964"))
    call(customer, stripe, "1")
    read_all(customer, stripe)  # the same invoice a month later settles nothing of this
    assert money_of(customer.account) == ("0", "0", "0.018")


@db
def test_paying_an_invoice_also_credits_the_wallet(stripe_catalogue: StripeSandbox) -> None:
    """Money: a paid subscription, with usage or without, leaves credits as they were."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    make_credits(customer.account, "7")
    call(customer, stripe, "100")
    tell(stripe)
    for _ in range(2):
        next_period(customer, stripe)
    assert len(invoices(customer)) == 3
    assert money_of(customer.account) == ("7", "0", "0")
    assert Grant.objects.count() == 1
    assert check_ledger(at=stripe_now(stripe)) == []


@db
def test_usage_known_after_the_period_is_on_the_next_invoice(stripe_catalogue: StripeSandbox) -> None:
    """S7: what is reported too late for its own period's invoice is neither lost nor billed twice."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    then = stripe_now(stripe)
    next_period(customer, stripe)
    call(customer, stripe, "100", at=then)
    assert tell(stripe) == (1, 1)
    read_all(customer, stripe)
    assert money_of(customer.account) == ("0", "0", "1.8")
    next_period(customer, stripe)
    assert money_of(customer.account) == ("0", "0", "0")


@db
def test_reversal_of_what_was_paid_is_given_back_once(stripe_catalogue: StripeSandbox) -> None:
    """S7: paid usage that is reversed comes back as credits, so that the next invoice is not lower as well."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    wrong = call(customer, stripe, "100")
    tell(stripe)
    next_period(customer, stripe)
    at = stripe_now(stripe)
    reverse_event(account_id=customer.account.id, event_id=wrong.id, reason="Wrong", at=at, actor=SYSTEM)
    assert money_of(customer.account) == ("1.8", "0", "0")
    assert tell(stripe) == (0, 0)
    call(customer, stripe, "50")
    tell(stripe)
    assert counted(customer, stripe) == Decimal("2.7")
    next_period(customer, stripe)
    assert money_of(customer.account) == ("1.8", "0", "0")


@db
def test_unpaid_invoice_settles_nothing(stripe_catalogue: StripeSandbox) -> None:
    """S7, S8: usage stays owed until the invoice is paid."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "100")
    tell(stripe)
    client = stripe_client()
    (card,) = client.v1.customers.payment_methods.list(customer_of(customer.account.id)).data
    bad = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer_of(customer.account.id)})
    (subscription,) = client.v1.subscriptions.list({"customer": customer_of(customer.account.id)}).data
    client.v1.subscriptions.update(subscription.id, {"default_payment_method": bad.id})
    next_period(customer, stripe)
    assert money_of(customer.account) == ("0", "0", "1.8")
    assert [invoice.status for invoice in invoices(customer)] == ["open", "paid"]
    client.v1.invoices.pay(invoices(customer)[0].id, {"payment_method": card.id})
    read_all(customer, stripe)
    assert money_of(customer.account) == ("0", "0", "0")


@db
def test_invoices_of_strangers(stripe: StripeSandbox) -> None:
    """S4: an invoice of a customer that is not ours is passed over."""
    client = stripe_client()
    invoice = client.v1.invoices.create({"customer": client.v1.customers.create({}).id})
    assert not sync_invoice(invoice_id=str(invoice.id), at=AT)


@pytest.mark.usefixtures("own_database")
def test_invoice_heard_of_many_times_at_once(stripe: StripeSandbox) -> None:
    """S7: eight events about one paid invoice settle it once."""
    push_catalogue(at=AT)
    customer = make_subscriber(stripe)
    call(customer, stripe, "100")
    tell(stripe)
    advance(stripe, 32)
    newest = invoices(customer)[0].id
    in_threads(lambda _: sync_invoice(invoice_id=str(newest), at=AT), 8, threads=8)
    assert money_of(customer.account) == ("0", "0", "0")
    assert Transfer.objects.filter(reason="payment").count() == InvoiceSettlement.objects.count() == 1
