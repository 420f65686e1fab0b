"""Credit notes and refunds that staff make at Stripe: one sealed document each, and the payment beside it."""

from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from random import Random
from typing import Any

import pytest
import stripe as sdk
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from billing.core.ids import encode_id
from billing.credits.services.check_ledger import check_ledger
from billing.invoices.documents.reading import document_facts
from billing.invoices.models import Invoice
from billing.invoices.queries import find_document, lines_of
from billing.invoices.services.issue_credit_note import issue_credit_note
from billing.invoices.services.verify_invoices import verify_invoices
from billing.notifications.models import Notice, WebhookEvent
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import DriftFinding, InboxEvent
from billing.stripe_sync.services.find_drift import find_drift
from billing.stripe_sync.services.push_catalogue import push_catalogue
from billing.stripe_sync.services.reconcile import reconcile
from billing.stripe_sync.services.sync_charge import sync_charge
from billing.stripe_sync.services.sync_credit_note import sync_credit_note
from billing.stripe_sync.services.sync_invoice import sync_invoice
from billing.stripe_sync.services.work_inbox import work_inbox
from sandbox.stripe.process import StripeSandbox
from tenants.services.record_audit import SYSTEM
from tests.api.calls import get
from tests.console.make import make_client
from tests.make import AT, Customer
from tests.money_make import in_threads, money_of
from tests.stripe_sync.metered import make_subscriber
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import advance, customer_of, look
from tests.stripe_sync.webhooks import deliver, deliveries, hold_webhooks

db = pytest.mark.django_db
VAT = {"percent": "19", "name": "VAT", "country": "DE"}


def invoice_of(customer: Customer) -> str:
    """The newest one at Stripe."""
    return str(stripe_client().v1.invoices.list({"customer": customer_of(customer.account.id)}).data[0].id)


def credit(invoice: str, **more: Any) -> sdk.CreditNote:
    params: Any = {"invoice": invoice} | more
    return stripe_client().v1.credit_notes.create(params)


def notes() -> list[Invoice]:
    return list(Invoice.objects.filter(kind="credit_note").order_by("position"))


def hear(note: sdk.CreditNote, stripe: StripeSandbox) -> None:
    assert sync_credit_note(note_id=note.id, at=stripe_now(stripe))


def document(invoice: str) -> Any:
    row = Invoice.objects.select_related("account").get(external_id=invoice)
    found = find_document(row.id, tenant_id=row.account.tenant_id)
    assert found is not None
    return found


def open_renewal(customer: Customer, stripe: StripeSandbox) -> str:
    """A renewal whose charge fails; answers it."""
    client, key = stripe_client(), customer_of(customer.account.id)
    bad = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": key})
    for one in client.v1.subscriptions.list({"customer": key}).data:
        client.v1.subscriptions.update(one.id, {"default_payment_method": bad.id})
    advance(stripe, 31.2)
    look(customer.account, stripe)
    invoice = invoice_of(customer)
    assert sync_invoice(invoice_id=invoice, at=stripe_now(stripe))
    assert document(invoice).status == "open"
    return invoice


def drift(customer: Customer, stripe: StripeSandbox) -> list[str]:
    rows = find_drift(account_id=customer.account.id, at=stripe_now(stripe))
    return [row.field for row in rows if row.kind == "invoice"]


def proven() -> str:
    out = StringIO()
    call_command("verify_invoices", "--stripe", stdout=out)
    return out.getvalue()


@db
def test_note_on_a_paid_invoice(stripe_catalogue: StripeSandbox) -> None:
    """I1, I2: Stripe's amounts and tax, sealed once; the refund shows beside the invoice, and no credits are given."""
    stripe = stripe_catalogue
    stripe.call("POST", "/_sandbox/tax", VAT)
    customer = make_subscriber(stripe)
    invoice = invoice_of(customer)
    before = Invoice.objects.get()
    note = credit(invoice, amount=357, refund_amount=257, credit_amount=100, reason="order_change")
    for _ in range(2):
        hear(note, stripe)
    (made,) = notes()
    assert (made.subtotal, made.tax, made.total) == (Decimal(-3), Decimal("-0.57"), Decimal("-3.57"))
    assert made.taxes == [{"name": "VAT", "percent": "19", "country": "DE", "amount": "-0.57", "taxable": "-3.00"}]
    assert (made.reason, made.external_id, made.external_number) == ("processor", note.id, note.number)
    assert (made.off_debt, made.as_credits, made.corrects_id) == (0, 0, before.id)
    assert made.note == (
        "The order was changed. $2.57 goes back the way it was paid. $1.00 comes off later invoices of the card "
        "processor."
    )
    found = document(invoice)
    assert (found.status, found.payment.amount_paid, found.payment.refunded, found.remaining) == (
        "paid",
        Decimal("10.71"),
        Decimal("2.57"),
        0,
    )
    assert Invoice.objects.get(id=before.id).content_hash == before.content_hash
    assert money_of(customer.account) == ("0", "0", "0")
    assert (verify_invoices(), check_ledger(at=stripe_now(stripe)), drift(customer, stripe)) == ([], [], [])
    assert WebhookEvent.objects.filter(type="credit_note.issued").count() == 1
    assert Notice.objects.filter(kind="credit-note").count() == 1
    settled = document_facts(made, lines_of(made)).settled
    assert [(one.label, one.amount) for one in settled] == [("Given back by the payment processor", "$3.57")]
    assert "1 documents" in proven()


@db
def test_note_on_an_open_invoice(stripe_catalogue: StripeSandbox) -> None:
    """I1, I2: less is to be paid, as Stripe asks for less; the rest of it pays the invoice."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    invoice = open_renewal(customer, stripe)
    hear(credit(invoice, amount=400, memo="For the outage"), stripe)
    (made,) = notes()
    assert (made.total, made.off_debt, made.note) == (-4, 4, "For the outage.")
    found = document(invoice)
    assert (found.status, found.payment.amount_paid, found.remaining) == ("open", 0, 5)
    assert drift(customer, stripe) == []
    hear(credit(invoice, amount=500), stripe)
    found = document(invoice)
    assert (found.status, found.payment.amount_paid, found.remaining) == ("paid", 0, 0)
    assert verify_invoices() == []


@db
def test_note_with_lines(stripe_catalogue: StripeSandbox) -> None:
    """I1: line by line, as Stripe taxes each."""
    stripe = stripe_catalogue
    stripe.call("POST", "/_sandbox/tax", VAT)
    customer = make_subscriber(stripe)
    invoice = invoice_of(customer)
    line = stripe_client().v1.invoices.retrieve(invoice).lines.data[0]
    lines = [
        {"type": "invoice_line_item", "invoice_line_item": line.id, "amount": 200},
        {"type": "custom_line_item", "description": "Sorry", "unit_amount": 50, "quantity": 2},
    ]
    hear(credit(invoice, lines=lines, out_of_band_amount=338), stripe)
    (made,) = notes()
    assert [(one.description, one.amount, one.quantity) for one in lines_of(made)] == [
        (line.description, -2, 1),
        ("Sorry", -1, 2),
    ]
    assert (made.tax, made.total, made.note) == (
        Decimal("-0.38"),
        Decimal("-3.38"),
        "$3.38 is given back by other means.",
    )
    assert document(invoice).payment.refunded == 0


@db
def test_note_that_is_heard_of_before_its_invoice(stripe_catalogue: StripeSandbox) -> None:
    """S4: both documents are made, the invoice's first."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    advance(stripe, 32)
    invoice = invoice_of(customer)
    assert not Invoice.objects.filter(external_id=invoice).exists()
    hear(credit(invoice, amount=300, refund_amount=300), stripe)
    (made,) = notes()
    assert made.corrects is not None
    assert (made.corrects.external_id, made.position) == (invoice, made.corrects.position + 1)
    assert document(invoice).payment.refunded == 3


@db
def test_credit_note_webhooks_shuffled_and_repeated(stripe_catalogue: StripeSandbox, client: Client) -> None:
    """S4: whatever comes when, and how often: one document of each note, and the refund."""
    stripe = stripe_catalogue
    hold_webhooks(stripe)
    customer = make_subscriber(stripe)
    invoice = invoice_of(customer)
    credit(invoice, amount=300, refund_amount=300)
    credit(invoice, amount=200, refund_amount=200)
    held = [one for one in deliveries(stripe) if one.type.startswith(("invoice.", "credit_note", "charge", "refund"))]
    assert [one.type for one in held].count("credit_note.created") == 2
    for place, delivery in enumerate(Random(7).sample(held * 2, len(held) * 2)):
        deliver(client, delivery)
        if place % 4 == 0:
            work_inbox(at=now())
    work_inbox(at=now())
    assert [one.total for one in notes()] == [-3, -2]
    assert document(invoice).payment.refunded == 5
    assert set(InboxEvent.objects.values_list("state", flat=True)) == {"done"}


@db
def test_lost_credit_note_is_made_up_for(stripe_catalogue: StripeSandbox) -> None:
    """S5: the report names notes and refunds that nobody told of, and the comparison takes them over."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    invoice = invoice_of(customer)
    note = credit(invoice, amount=300, refund_amount=300)
    assert sorted(drift(customer, stripe)) == [f"credit note {note.number}", "refunded"]
    with pytest.raises(CommandError, match="Findings: 1"):
        proven()
    assert reconcile(at=stripe_now(stripe)).failed == 0
    assert ([one.total for one in notes()], document(invoice).payment.refunded) == ([-3], 3)
    assert not DriftFinding.objects.filter(repaired_at=None).exists()
    proven()


@db
def test_notes_of_both_would_pass_the_invoice(
    stripe_catalogue: StripeSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """I1: none is made, staff see it on the report, and nothing is tried in circles; what fits later is made."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    invoice = invoice_of(customer)
    ours = Invoice.objects.get()
    issue_credit_note(invoice_id=ours.id, amount=Decimal(7), note="Sorry", actor=SYSTEM, at=stripe_now(stripe))
    note = credit(invoice, amount=300, refund_amount=300)
    for _ in range(2):
        hear(note, stripe)
    assert len(notes()) == 1
    assert "credit_note_without_document" in caplog.text
    assert reconcile(at=stripe_now(stripe)).repaired == 0
    (finding,) = DriftFinding.objects.filter(repaired_at=None)
    assert (finding.field, finding.ours) == (f"credit note {note.number}", "missing; 2 can still be credited")
    hear(credit(invoice, amount=200, refund_amount=200), stripe)
    assert ([one.total for one in notes()], document(invoice).payment.refunded) == ([-7, -2], 5)


@db
def test_voided_notes(stripe_catalogue: StripeSandbox) -> None:
    """I1, I2: voided before we heard of it there is no document; later it stays, and what it took off is asked for."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    invoice = open_renewal(customer, stripe)
    client = stripe_client()
    unheard = credit(invoice, amount=100)
    client.v1.credit_notes.void_credit_note(unheard.id)
    hear(unheard, stripe)
    assert (notes(), document(invoice).remaining) == ([], 9)
    heard = credit(invoice, amount=400)
    hear(heard, stripe)
    assert document(invoice).remaining == 5
    client.v1.credit_notes.void_credit_note(heard.id)
    assert drift(customer, stripe) == ["voided credit notes"]
    hear(heard, stripe)
    found = document(invoice)
    assert (found.remaining, found.payment.voided_notes, len(notes())) == (9, 4, 1)
    assert drift(customer, stripe) == []
    proven()


@db
def test_refund_of_an_invoice_without_a_note(stripe_catalogue: StripeSandbox) -> None:
    """S4, I2: it shows on the payment, in the API and on the page; the document and its PDF stay as they are."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    invoice = invoice_of(customer)
    row = Invoice.objects.get()
    facts = document_facts(row, lines_of(row))
    (charge,) = stripe_client().v1.charges.list({"customer": customer_of(customer.account.id)}).data
    stripe_client().v1.refunds.create({"charge": charge.id, "amount": 250})
    for _ in range(2):
        assert sync_charge(charge_id=charge.id, at=stripe_now(stripe))
    found = document(invoice)
    assert (found.status, found.payment.amount_paid, found.payment.refunded) == ("paid", 9, Decimal("2.5"))
    said = get(f"/v1/billing/invoices/{encode_id('inv', row.id)}", customer.key).json()
    assert (said["amount_paid"], said["amount_refunded"], said["amount_remaining"]) == ("9.00", "2.50", "0.00")
    assert "$2.50 of it was refunded." in make_client(customer.tenant).get(f"/invoices/{row.id}").text
    row = Invoice.objects.get()
    assert (document_facts(row, lines_of(row)), notes(), verify_invoices()) == (facts, [], [])


@db
def test_notes_of_strangers(stripe_catalogue: StripeSandbox) -> None:
    """S4: a note on an invoice of somebody else's is nothing to us."""
    client = stripe_client()
    key = client.v1.customers.create({"name": "Stranger"}).id
    made = client.v1.invoices.create({"customer": key, "currency": "usd"})
    client.v1.invoice_items.create({"customer": key, "invoice": str(made.id), "amount": 500, "currency": "usd"})
    client.v1.invoices.finalize_invoice(str(made.id))
    note = credit(str(made.id), amount=100)
    assert not sync_credit_note(note_id=note.id, at=AT)
    assert notes() == []


@pytest.fixture
def subscriber(own_database: None, stripe: StripeSandbox) -> Iterator[Customer]:
    push_catalogue(at=AT)
    yield make_subscriber(stripe)
    connection.close()


def test_one_note_by_many_workers(subscriber: Customer, stripe: StripeSandbox) -> None:
    """I1, S4: events about one note, its invoice and its refund at once make one document."""
    invoice, at = invoice_of(subscriber), stripe_now(stripe)
    note = credit(invoice, amount=300, refund_amount=300)
    (charge,) = stripe_client().v1.charges.list({"customer": customer_of(subscriber.account.id)}).data

    def work(number: int) -> None:
        if number % 3 == 0:
            sync_credit_note(note_id=note.id, at=at)
        elif number % 3 == 1:
            sync_invoice(invoice_id=invoice, at=at)
        else:
            sync_charge(charge_id=charge.id, at=at)

    in_threads(work, 9, threads=9)
    assert ([one.total for one in notes()], document(invoice).payment.refunded) == ([-3], 3)
    assert verify_invoices() == []
