"""What is owed when a subscription has ended is invoiced once."""

from datetime import timedelta
from decimal import Decimal

import pytest
import stripe as sdk

from billing.credits.models import Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.notifications.models import Notice
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import ArrearsInvoice, DriftFinding
from billing.stripe_sync.services.collect_arrears import NothingToCollect, collect_after_end, collect_arrears
from billing.stripe_sync.services.find_drift import find_drift
from billing.stripe_sync.services.push_catalogue import push_catalogue
from billing.stripe_sync.services.reconcile import reconcile
from billing.stripe_sync.services.sync_invoice import sync_invoice
from sandbox.stripe.process import StripeSandbox
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer, make_customer
from tests.money_make import in_threads, money_of, owe
from tests.stripe_sync.metered import call, make_subscriber
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import advance, customer_of, look

db = pytest.mark.django_db


def make_former(stripe: StripeSandbox, minutes: str = "100.2") -> Customer:
    """A subscription that ended with usage unreported: 1.8036 dollars are owed."""
    customer = make_subscriber(stripe)
    call(customer, stripe, minutes)
    (subscription,) = stripe_client().v1.subscriptions.list({"customer": customer_of(customer.account.id)}).data
    stripe_client().v1.subscriptions.cancel(subscription.id)
    look(customer.account, stripe)
    advance(stripe, 0.1)
    return customer


def collect(customer: Customer, stripe: StripeSandbox) -> ArrearsInvoice:
    return collect_arrears(account_id=customer.account.id, actor=SYSTEM, at=stripe_now(stripe))


def findings(customer: Customer, stripe: StripeSandbox) -> list[tuple[str, str, str]]:
    rows = find_drift(account_id=customer.account.id, at=stripe_now(stripe))
    return [(row.kind, row.field, row.ours) for row in rows if row.kind in ("usage owed", "invoice")]


def invoices(customer: Customer) -> list[sdk.Invoice]:
    """For arrears, at Stripe."""
    found = stripe_client().v1.invoices.list({"customer": customer_of(customer.account.id)}).data
    return [one for one in found if "quaestor_arrears" in (one.metadata or {})]


def put_bad_card(customer: Customer) -> None:
    key = customer_of(customer.account.id)
    bad = stripe_client().v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": key})
    stripe_client().v1.customers.update(key, {"invoice_settings": {"default_payment_method": bad.id}})


@db
def test_what_is_owed_is_named_and_collected(stripe_catalogue: StripeSandbox) -> None:
    """S7: the whole cents, once; the rest below one stays owed."""
    stripe = stripe_catalogue
    customer = make_former(stripe)
    assert money_of(customer.account) == ("0", "0", "1.8036")
    assert findings(customer, stripe) == [("usage owed", "nobody bills it", "1.80 USD owed")]
    row = collect(customer, stripe)
    assert (row.state, row.amount) == ("paid", Decimal("1.8"))
    (invoice,) = invoices(customer)
    assert (invoice.id, invoice.status, invoice.total) == (row.invoice_id, "paid", 180)
    sync_invoice(invoice_id=row.invoice_id, at=stripe_now(stripe))
    assert money_of(customer.account) == ("0", "0", "0.0036")
    assert Transfer.objects.get(reason="payment").idempotency_key == f"invoice:{row.invoice_id}"
    assert AuditEvent.objects.filter(action="arrears.invoiced").count() == 1
    assert (findings(customer, stripe), check_ledger(at=stripe_now(stripe))) == ([], [])
    with pytest.raises(NothingToCollect, match="is owed and not on"):
        collect(customer, stripe)


@db
def test_declined_card_leaves_the_invoice_open(stripe_catalogue: StripeSandbox) -> None:
    """S7, S8: the tenant gets the link; nothing is asked twice, and what is paid later settles."""
    stripe = stripe_catalogue
    customer = make_former(stripe)
    put_bad_card(customer)
    row = collect(customer, stripe)
    assert (row.state, money_of(customer.account)[2]) == ("open", "1.8036")
    (invoice,) = invoices(customer)
    assert str(invoice.hosted_invoice_url) in Notice.objects.get(kind="payment-failed").body
    assert findings(customer, stripe) == []
    assert collect(customer, stripe) == row
    assert len(invoices(customer)) == 1
    good = stripe_client().v1.payment_methods.attach("pm_card_visa", {"customer": customer_of(customer.account.id)})
    stripe_client().v1.invoices.pay(str(invoice.id), {"payment_method": good.id})
    assert findings(customer, stripe)[0][:2] == ("invoice", "settled")
    reconcile(at=stripe_now(stripe))
    assert money_of(customer.account) == ("0", "0", "0.0036")
    assert ArrearsInvoice.objects.get().state == "paid"


@db
def test_voided_invoice_is_owed_again(stripe_catalogue: StripeSandbox) -> None:
    """S7: somebody voided it in the dashboard."""
    stripe = stripe_catalogue
    customer = make_former(stripe)
    put_bad_card(customer)
    row = collect(customer, stripe)
    stripe_client().v1.invoices.void_invoice(row.invoice_id)
    sync_invoice(invoice_id=row.invoice_id, at=stripe_now(stripe))
    assert ArrearsInvoice.objects.get().state == "closed"
    assert findings(customer, stripe)[0][0] == "usage owed"


@db
@pytest.mark.parametrize("path", ["invoices", "invoiceitems", "invoices/[^/]+/finalize", "invoices/[^/]+/pay"])
@pytest.mark.parametrize("kind", ["lost", "timeout"])
def test_interrupted_at_any_step(stripe_catalogue: StripeSandbox, path: str, kind: str) -> None:
    """S7: gone on with days later, when Stripe has forgotten the keys; one invoice, paid once."""
    stripe = stripe_catalogue
    customer = make_former(stripe)
    fault = {"method": "POST", "path": f"/v1/{path}$", "kind": kind, "times": 3}
    stripe.call("POST", "/_sandbox/faults", fault)
    with pytest.raises(sdk.APIConnectionError):
        collect(customer, stripe)
    stripe.call("DELETE", "/_sandbox/faults")
    advance(stripe, 3)
    assert collect(customer, stripe).state == "paid"
    assert [(one.status, one.amount_paid) for one in invoices(customer)] == [("paid", 180)]
    assert money_of(customer.account) == ("0", "0", "0.0036")


@db
def test_comparison_collects_by_itself_once_a_month(stripe_catalogue: StripeSandbox) -> None:
    """S5, S7: of who had a subscription, not of who never agreed to be invoiced."""
    stripe = stripe_catalogue
    customer, stranger = make_former(stripe), make_customer("free")
    owe(stranger.account.receivable, "9")
    assert reconcile(at=stripe_now(stripe)).repaired == 1
    assert money_of(customer.account) == ("0", "0", "0.0036")
    assert not DriftFinding.objects.filter(repaired_at=None).exists()
    owe(customer.account.receivable, "5")
    for at, collected in ((stripe_now(stripe), False), (stripe_now(stripe) + timedelta(days=31), True)):
        assert collect_after_end(account_id=customer.account.id, at=at) is collected
    assert not collect_after_end(account_id=stranger.account.id, at=stripe_now(stripe))


@db
def test_who_is_not_invoiced(stripe_catalogue: StripeSandbox) -> None:
    """S7: a live subscription bills its usage; without a card or customer there is nothing to charge."""
    stripe = stripe_catalogue
    live, nobody = make_subscriber(stripe), make_customer("free")
    call(live, stripe, "100")
    for customer, reason in ((live, "will invoice"), (nobody, "no customer")):
        with pytest.raises(NothingToCollect, match=reason):
            collect(customer, stripe)
    former = make_former(stripe)
    (card,) = stripe_client().v1.customers.payment_methods.list(customer_of(former.account.id)).data
    stripe_client().v1.payment_methods.detach(card.id)
    with pytest.raises(NothingToCollect, match="no card"):
        collect(former, stripe)
    assert not ArrearsInvoice.objects.exists()


@pytest.mark.usefixtures("own_database")
def test_collected_by_many_at_once(stripe: StripeSandbox) -> None:
    """S7: staff and the comparison at the same time make one invoice."""
    push_catalogue(at=AT)
    customer = make_former(stripe)
    at = stripe_now(stripe)

    def work(_: int) -> str:
        try:
            return collect_arrears(account_id=customer.account.id, actor=SYSTEM, at=at).state
        except (NothingToCollect, sdk.StripeError) as error:
            return type(error).__name__

    assert "paid" in in_threads(work, 4, threads=4)
    assert [(one.status, one.amount_paid) for one in invoices(customer)] == [("paid", 180)]
    assert money_of(customer.account) == ("0", "0", "0.0036")
