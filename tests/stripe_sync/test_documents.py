"""Documents of Stripe's invoices: one each, to the cent, whatever is heard of them."""

from decimal import Decimal
from io import StringIO
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from djstripe.models import Invoice as Copy

from billing.core.ids import encode_id
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.services.verify_invoices import verify_invoices
from billing.notifications.models import WebhookEvent
from billing.stripe_sync.changes import Target
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import DriftFinding, InvoiceSettlement
from billing.stripe_sync.services.change_subscription import change_subscription
from billing.stripe_sync.services.find_drift import find_drift
from billing.stripe_sync.services.preview_change import preview_change
from billing.stripe_sync.services.reconcile import reconcile
from billing.stripe_sync.services.sync_invoice import sync_invoice
from billing.stripe_sync.services.work_inbox import work_inbox
from sandbox.stripe.process import StripeSandbox
from tenants.services.record_audit import SYSTEM
from tests.make import Customer
from tests.stripe_sync.metered import call, make_subscriber, read_invoices, tell
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import advance, customer_of, look
from tests.stripe_sync.webhooks import deliver, deliveries, hold_webhooks

pytestmark = pytest.mark.django_db
VAT = {"percent": "19", "name": "VAT", "country": "DE"}


def documents() -> list[Invoice]:
    return list(Invoice.objects.order_by("position"))


def at_stripe(customer: Customer) -> dict[str, int]:
    """What each invoice asks for."""
    found = stripe_client().v1.invoices.list({"customer": customer_of(customer.account.id), "limit": 100})
    return {str(one.id): one.total for one in found.data}


def on_documents() -> dict[str, int]:
    return {one.external_id: int(one.amount_due * 100) for one in documents()}


def kinds_of(document: Invoice) -> list[str]:
    return list(InvoiceLine.objects.filter(invoice=document).order_by("place").values_list("kind", flat=True))


def told(*types: str) -> list[str]:
    return list(WebhookEvent.objects.filter(type__in=types).order_by("id").values_list("type", flat=True))


def change(customer: Customer, stripe: StripeSandbox, plan: str) -> None:
    """To other terms, for what is shown."""
    target = Target(plan, "monthly", "standard", 1)
    shown = preview_change(account_id=customer.account.id, target=target, at=stripe_now(stripe))
    assert shown.net == shown.charge - shown.credit + shown.pending + shown.tax != shown.tax
    assert abs(shown.tax - (shown.net - shown.tax) * Decimal("0.19")) < Decimal("0.02")
    change_subscription(
        account_id=customer.account.id, target=target, expected=shown.expected, actor=SYSTEM, at=stripe_now(stripe)
    )
    read_invoices(customer, stripe)


def next_period(customer: Customer, stripe: StripeSandbox, days: float = 32) -> None:
    advance(stripe, days)
    look(customer.account, stripe)
    read_invoices(customer, stripe)


def verified(*arguments: str) -> str:
    out = StringIO()
    call_command("verify_invoices", *arguments, stdout=out)
    return out.getvalue()


def test_documents_come_to_what_stripe_asks_for(stripe_catalogue: StripeSandbox) -> None:
    """I1, S7: begun, used, upgraded, downgraded, taxed: each is one document, due to the cent; usage is paid net."""
    stripe = stripe_catalogue
    stripe.call("POST", "/_sandbox/tax", VAT)
    customer = make_subscriber(stripe)
    (first,) = documents()
    assert (first.subtotal, first.tax, first.amount_due, first.reason) == (
        9,
        Decimal("1.71"),
        Decimal("10.71"),
        "subscription",
    )
    assert first.taxes == [{"name": "VAT", "percent": "19", "country": "DE", "amount": "1.71", "taxable": "9.00"}]
    assert (kinds_of(first), first.payment.status, first.payment.amount_paid) == (
        ["subscription"],
        "paid",
        Decimal("10.71"),
    )
    call(customer, stripe, "100.2")  # 1.8036
    tell(stripe)
    next_period(customer, stripe)
    renewal = documents()[1]
    assert (renewal.reason, renewal.subtotal, renewal.carried) == ("cycle", Decimal("10.8"), 0)
    assert kinds_of(renewal) == ["subscription", "usage"]
    assert renewal.cycle is not None
    assert InvoiceSettlement.objects.get().metered == Decimal("1.8")
    advance(stripe, 9)
    change(customer, stripe, "team")
    upgrade = documents()[2]
    assert (set(kinds_of(upgrade)), upgrade.reason) == ({"proration"}, "subscription")
    advance(stripe, 3)
    change(customer, stripe, "pro")
    assert len(documents()) == 3
    next_period(customer, stripe)
    credited = InvoiceLine.objects.filter(invoice=documents()[3], kind="proration", amount__lt=0)
    assert credited.exists()
    assert on_documents() == at_stripe(customer)
    read_invoices(customer, stripe)
    assert len(documents()) == 4
    assert [
        row for row in find_drift(account_id=customer.account.id, at=stripe_now(stripe)) if row.kind == "invoice"
    ] == []
    assert told("invoice.issued", "invoice.failed") == ["invoice.issued"] * 4
    assert verify_invoices() == []


def test_the_proof_finds_what_is_not_the_same(stripe_catalogue: StripeSandbox) -> None:
    """I1: against our copies or Stripe itself, of an account or a month; it says what was compared."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    month, key = f"{stripe_now(stripe):%Y-%m}", encode_id("acc", customer.account.id)
    for arguments in ([], ["--stripe"], ["--period", month], ["--account", key, "--stripe"]):
        assert "1 documents.\n  due 9.00 USD here, 9.00 USD there; tax 0.00 USD" in verified(*arguments)
    assert " 0 documents." in verified("--period", "2020-01")
    copy = Copy.objects.get()
    copy.stripe_data |= {"total": 901}
    copy.save()
    out = StringIO()
    with pytest.raises(CommandError, match="Findings: 1"):
        call_command("verify_invoices", stdout=out)
    assert f"{documents()[0].number}: its amount due is 9, at Stripe 9.01." in out.getvalue()
    verified("--stripe")
    next_period_unheard(stripe)
    with pytest.raises(CommandError, match="Findings: 1"):
        call_command("verify_invoices", "--stripe", stdout=out)
    assert "it has no document" in out.getvalue()
    for wrong in (["--account", "acc_1"], ["--period", "November"]):
        with pytest.raises(CommandError, match="is no "):
            verified(*wrong)


def next_period_unheard(stripe: StripeSandbox) -> None:
    advance(stripe, 32)


def test_lost_webhooks_are_made_up_for(stripe_catalogue: StripeSandbox) -> None:
    """S5: documents in the order of time, and a payment that nobody told of; in the next comparison nothing is left."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    call(customer, stripe, "50")
    tell(stripe)
    for _ in range(2):
        next_period_unheard(stripe)
    assert [row.field for row in find_drift(account_id=customer.account.id, at=stripe_now(stripe))].count(
        "without document"
    ) == 2
    assert reconcile(at=stripe_now(stripe)).failed == 0
    assert on_documents() == at_stripe(customer)
    assert [one.external_id for one in documents()] == list(reversed(at_stripe(customer)))
    assert not DriftFinding.objects.filter(repaired_at=None).exists()
    assert told("invoice.issued") == ["invoice.issued"] * 3
    assert verify_invoices() == []


def test_webhooks_shuffled_and_repeated(stripe_catalogue: StripeSandbox, client: Client) -> None:
    """S4: one document of each invoice, and each fact told once."""
    stripe = stripe_catalogue
    hold_webhooks(stripe)
    customer = make_subscriber(stripe)
    call(customer, stripe, "50")
    tell(stripe)
    next_period_unheard(stripe)
    held = [one for one in deliveries(stripe) if one.type.startswith(("invoice.", "customer.subscription"))]
    for place, delivery in enumerate(Random(7).sample(held * 2, len(held) * 2)):
        deliver(client, delivery)
        if place % 4 == 0:
            work_inbox(at=stripe_now(stripe))
    work_inbox(at=stripe_now(stripe))
    assert on_documents() == at_stripe(customer)
    assert told("invoice.issued", "invoice.paid", "invoice.failed").count("invoice.paid") == 2


def make_foreign(customer: Customer) -> str:
    """An invoice in another currency, which somebody made by hand at Stripe."""
    client, key = stripe_client(), customer_of(customer.account.id)
    price = client.v1.prices.create(
        {"currency": "eur", "unit_amount": 500, "recurring": {"interval": "month"}, "product_data": {"name": "X"}}
    )
    (card,) = client.v1.customers.payment_methods.list(key).data
    made = client.v1.subscriptions.create(
        {"customer": key, "items": [{"price": price.id}], "default_payment_method": card.id}
    )
    return str(made.latest_invoice)


def test_invoice_that_no_document_can_be_made_of(
    stripe_catalogue: StripeSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """S5: it is on staff's report and looked at again; the payment of others counts."""
    stripe = stripe_catalogue
    customer = make_subscriber(stripe)
    key = make_foreign(customer)
    for _ in range(2):
        assert sync_invoice(invoice_id=key, at=stripe_now(stripe))
    assert len(documents()) == 1
    assert "invoice_without_document" in caplog.text
    rows = find_drift(account_id=customer.account.id, at=stripe_now(stripe))
    assert (key, "without document") in [(row.object_id, row.field) for row in rows]
