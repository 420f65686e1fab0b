"""Paying an open invoice: by the card at once, at Stripe's page, or not."""

from decimal import Decimal

import pytest

from billing.core.problems import Problem
from billing.invoices.models import Invoice, InvoicePayment
from billing.invoices.services.close_due_cycles import close_due_cycles
from billing.notifications.models import Notice, WebhookEvent
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import ArrearsInvoice
from billing.stripe_sync.services.find_drift import find_drift
from billing.stripe_sync.services.pay_invoice import pay_invoice
from billing.stripe_sync.services.sync_checkout import sync_checkout
from billing.stripe_sync.services.sync_invoice import sync_invoice
from sandbox.stripe.process import StripeSandbox
from tests.console.make import make_client
from tests.invoices.issued import issue
from tests.make import Customer, make_customer
from tests.money_make import money_of, owe
from tests.stripe_sync.metered import call, make_subscriber, read_invoices
from tests.stripe_sync.paying import open_purchase, press_pay, session_of, stripe_now
from tests.stripe_sync.plans import advance, customer_of, look, plan_of

pytestmark = pytest.mark.django_db


def use_card(customer: Customer, card: str) -> None:
    """The only one that is charged from now on."""
    client, key = stripe_client(), customer_of(customer.account.id)
    method = client.v1.payment_methods.attach(card, {"customer": key}).id
    client.v1.customers.update(key, {"invoice_settings": {"default_payment_method": method}})
    for subscription in client.v1.subscriptions.list({"customer": key}).data:
        client.v1.subscriptions.update(subscription.id, {"default_payment_method": method})


def pay(invoice: Invoice, stripe: StripeSandbox) -> str:
    """The page to go to, or the code of the refusal."""
    try:
        return pay_invoice(account_id=invoice.account_id, invoice_id=invoice.id, at=stripe_now(stripe))
    except Problem as problem:
        return problem.code


def told(invoice: Invoice) -> list[str]:
    events = WebhookEvent.objects.filter(data__invoice__number=invoice.number).order_by("id")
    return list(events.values_list("type", flat=True))


def payment_of(invoice: Invoice) -> tuple[str, Decimal]:
    row = InvoicePayment.objects.get(invoice=invoice)
    return row.status, row.amount_paid.normalize()


def make_overdue(stripe: StripeSandbox) -> tuple[Customer, Invoice]:
    """A subscriber whose renewal was declined."""
    customer = make_subscriber(stripe)
    use_card(customer, "pm_card_chargeCustomerFail")
    advance(stripe, 32)
    look(customer.account, stripe)
    read_invoices(customer, stripe)
    return customer, Invoice.objects.latest("position")


def make_owing(stripe: StripeSandbox) -> tuple[Customer, Invoice]:
    """A customer with a card whose invoice no subscription asks for, and who owes more than that."""
    customer = make_subscriber(stripe)
    owe(customer.account.receivable, "20")
    return customer, issue(customer.account, "5.00", at=stripe_now(stripe))


def test_retry_with_each_kind_of_card(stripe_catalogue: StripeSandbox) -> None:
    """S7, S8, N1: declined, 3-D Secure and paid; every try that failed and the payment are told once."""
    stripe = stripe_catalogue
    customer, invoice = make_overdue(stripe)
    assert (payment_of(invoice), told(invoice)) == (("open", Decimal(0)), ["invoice.issued", "invoice.failed"])
    look(customer.account, stripe)
    assert pay(invoice, stripe) == "card-declined"
    use_card(customer, "pm_card_authenticationRequired")
    assert pay(invoice, stripe) == InvoicePayment.objects.get(invoice=invoice).hosted_url != ""
    use_card(customer, "pm_card_visa")
    assert (pay(invoice, stripe), payment_of(invoice)) == ("", ("paid", Decimal(9)))
    assert plan_of(customer.account)[0] == "pro"
    assert told(invoice) == ["invoice.issued", *["invoice.failed"] * 3, "invoice.paid"]
    failed = WebhookEvent.objects.filter(type="invoice.failed").order_by("id").first()
    assert failed is not None
    assert (failed.data["invoice"]["attempt"], failed.data["invoice"]["amount_due"]) == (1, "9.00")
    for again in (invoice, Invoice.objects.get(position=1)):
        assert pay(again, stripe) == "nothing-to-pay"
    with pytest.raises(Problem, match="no such invoice"):
        pay_invoice(account_id=make_customer("free").account.id, invoice_id=invoice.id, at=stripe_now(stripe))


def test_voided_at_stripe(stripe_catalogue: StripeSandbox) -> None:
    """I2: the document stays as it is, its payment is void; one that has no card yet is paid at Stripe's page."""
    stripe = stripe_catalogue
    customer, invoice = make_overdue(stripe)
    client, key = stripe_client(), customer_of(customer.account.id)
    for card in client.v1.customers.payment_methods.list(key).data:
        client.v1.payment_methods.detach(card.id)
    assert pay(invoice, stripe).endswith(invoice.external_id)
    client.v1.invoices.void_invoice(invoice.external_id)
    fields = [row.field for row in find_drift(account_id=customer.account.id, at=stripe_now(stripe))]
    assert "payment" in fields
    assert pay(invoice, stripe) == ""
    assert (payment_of(invoice)[0], pay(invoice, stripe)) == ("void", "nothing-to-pay")
    sync_invoice(invoice_id=invoice.external_id, at=stripe_now(stripe))
    assert Invoice.objects.count() == 2


def test_invoice_of_ours_alone(stripe_catalogue: StripeSandbox) -> None:
    """S7: what a subscription left is closed by the clock; a one-off invoice at Stripe is its payment, no document."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "99.8")  # 1.7964: the invoice asks for 1.80
    advance(stripe, 1)  # a plan that begins and ends in one second never was
    (subscription,) = stripe_client().v1.subscriptions.list({"customer": customer_of(customer.account.id)}).data
    stripe_client().v1.subscriptions.cancel(subscription.id)
    look(customer.account, stripe)
    advance(stripe, 1)
    close_due_cycles(at=stripe_now(stripe), account_id=customer.account.id)
    invoice = Invoice.objects.latest("position")
    assert (invoice.external_id, invoice.amount_due) == ("", Decimal("1.8"))
    use_card(customer, "pm_card_chargeCustomerFail")
    assert pay(invoice, stripe) == pay(invoice, stripe) == "card-declined"
    use_card(customer, "pm_card_visa")
    assert (pay(invoice, stripe), payment_of(invoice)) == ("", ("paid", Decimal("1.7964")))
    assert money_of(customer.account) == ("0", "0", "0")
    assert told(invoice) == ["invoice.issued", "invoice.failed", "invoice.failed", "invoice.paid"]
    assert Invoice.objects.count() == 2


def test_declined_one_off_is_told_of_our_invoice(stripe_catalogue: StripeSandbox) -> None:
    """S7, S8, N1: by its number, once for each try, however often it is read; Stripe names it too, and has its page."""
    stripe = stripe_catalogue
    customer, invoice = make_owing(stripe)
    use_card(customer, "pm_card_chargeCustomerFail")
    assert pay(invoice, stripe) == "card-declined"
    one_off = stripe_client().v1.invoices.retrieve(ArrearsInvoice.objects.get().invoice_id)
    assert [line.description for line in one_off.lines.data] == [f"Invoice {invoice.number}"]
    look(customer.account, stripe)
    sync_invoice(invoice_id=str(one_off.id), at=stripe_now(stripe))
    row = InvoicePayment.objects.get(invoice=invoice)
    assert (row.attempts, row.hosted_url) == (1, one_off.hosted_invoice_url)
    failed = WebhookEvent.objects.get(type="invoice.failed")
    assert (failed.data["invoice"]["number"], failed.data["invoice"]["attempt"]) == (invoice.number, 1)
    notice = Notice.objects.get(kind="payment-failed")
    assert f", invoice {invoice.number}." in notice.body
    assert str(one_off.number) not in notice.body
    assert (notice.link, notice.link_text) == (f"/invoices/{invoice.id}", "Open the invoice")
    stripe_client().v1.invoices.void_invoice(str(one_off.id))
    sync_invoice(invoice_id=str(one_off.id), at=stripe_now(stripe))
    assert InvoicePayment.objects.get(invoice=invoice).hosted_url == ""
    assert pay(invoice, stripe) == "card-declined"  # by a new one-off, whose first try is our second
    attempts = WebhookEvent.objects.filter(type="invoice.failed").values_list("data__invoice__attempt", flat=True)
    assert sorted(attempts) == [1, 2]


def test_one_off_for_several(stripe_catalogue: StripeSandbox) -> None:
    """S7: the oldest that it pays are named, each is told; 3-D Secure still leads to Stripe's page."""
    stripe = stripe_catalogue
    customer, first = make_owing(stripe)
    second = issue(customer.account, "6.00", at=stripe_now(stripe))
    issue(customer.account, "1.00", at=stripe_now(stripe))
    use_card(customer, "pm_card_authenticationRequired")
    page = pay(second, stripe)
    one_off = stripe_client().v1.invoices.retrieve(ArrearsInvoice.objects.get().invoice_id)
    assert page == one_off.hosted_invoice_url
    assert one_off.lines.data[0].description == f"Invoices {first.number}, {second.number}"
    assert [told(invoice)[1:] for invoice in (first, second)] == [["invoice.failed"]] * 2
    notice = Notice.objects.get(kind="payment-failed")
    assert f"invoices {first.number}, {second.number}." in notice.body
    assert notice.link == "/invoices/?status=open"


def test_declined_on_the_page_of_the_console(stripe_catalogue: StripeSandbox) -> None:
    """S8: who pays reads that the card was declined, and can go on to Stripe's page with another."""
    stripe = stripe_catalogue
    customer, invoice = make_owing(stripe)
    use_card(customer, "pm_card_chargeCustomerFail")
    look(customer.account, stripe)
    client = make_client(customer.tenant)
    answer = client.post(f"/invoices/{invoice.id}/pay")
    page = InvoicePayment.objects.get(invoice=invoice).hosted_url
    assert answer.status_code == 402
    assert "card was declined" in answer.text
    assert f'href="{page}">pay by another card at Stripe' in answer.text
    shown = client.get(f"/invoices/{invoice.id}").text
    assert "the payment failed" in shown
    assert f'href="{page}"' in shown


def test_old_debt_beside_a_subscription(stripe_catalogue: StripeSandbox) -> None:
    """S7: what was invoiced before it began is charged alone; usage of the subscription waits for its own invoice."""
    stripe = stripe_catalogue
    customer = make_customer("free")
    owe(customer.account.receivable, "5")
    invoice = issue(customer.account, "5.00", at=stripe_now(stripe))
    assert pay(invoice, stripe) == "no-card"
    live = make_subscriber(stripe)
    owe(live.account.receivable, "5")
    old = issue(live.account, "5.00", at=stripe_now(stripe))
    call(live, stripe, "100")
    assert (pay(old, stripe), payment_of(old)) == ("", ("paid", Decimal(5)))
    assert money_of(live.account) == ("0", "0", "1.8")
    small = issue(live.account, "0.30", at=stripe_now(stripe))
    assert pay(small, stripe) == "nothing-to-pay"


def test_credits_pay_what_is_invoiced(stripe_catalogue: StripeSandbox) -> None:
    """M4: a purchase pays what is owed first, and with it the invoice."""
    stripe = stripe_catalogue
    customer = make_customer("free")
    owe(customer.account.receivable, "5")
    invoice = issue(customer.account, "5.00", at=stripe_now(stripe))
    opened = open_purchase(customer.account, stripe)
    press_pay(stripe, opened)
    sync_checkout(session_id=session_of(opened), at=stripe_now(stripe))
    assert (payment_of(invoice), told(invoice)[1:]) == (("paid", Decimal(5)), ["invoice.paid"])
