"""Stripe's side of an account against ours, read apart from the product's own comparison."""

from datetime import UTC, datetime
from decimal import Decimal

import stripe as sdk
from django.db.models import Sum

from billing.core.money import from_minor_units
from billing.credits.models import LedgerAccount, TopUp, Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.credits.services.open_ledger_account import platform_account
from billing.invoices.models import Invoice
from billing.invoices.queries import remaining_of
from billing.invoices.services.verify_invoices import verify_invoices
from billing.pricing.fees import refunded_part
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.differences import ARREARS
from billing.stripe_sync.models import InboxEvent, InvoiceSettlement, MeterReport, StripeCustomer, StripeMeter
from billing.stripe_sync.queries import payment_methods_of
from billing.stripe_sync.reading import price_of
from billing.stripe_sync.services.find_drift import find_drift
from billing.subscriptions.agreements import latest_subscription
from billing.subscriptions.models import Agreement
from billing.subscriptions.queries import governing_agreement
from tests.stripe_sync.history import History

OVER = {"canceled", "incomplete_expired"}
CENT = Decimal("0.01")
HELD = {"needs_response", "under_review", "lost"}


def assert_same(history: History) -> None:
    """Whatever happened and whatever was heard of it, both sides say the same."""
    history.stripe.call("DELETE", "/_sandbox/faults")
    assert_same_plan(history)
    assert_same_cards(history)
    assert_same_purchases(history)
    assert_same_usage(history)
    found = find_drift(account_id=history.account.id, at=history.now)
    # A debt that nobody can collect, as of a customer who is gone, is no difference; it stays on staff's report.
    assert [f"{one}: {one.theirs} / {one.ours}" for one in found if one.kind != ARREARS] == []
    assert check_ledger(at=history.now) == []
    assert list(InboxEvent.objects.filter(state="failed").values_list("type", "error")) == []
    assert history.stripe.call("GET", "/_sandbox/violations") == {"violations": []}


def assert_same_plan(history: History) -> None:
    """The live subscription governs as Stripe has it, and the account's plan follows it."""
    live, governing = history.live(), governing_agreement(history.account.id)
    present = latest_subscription(history.account.id)
    assert present is not None
    others = Agreement.objects.filter(account=history.account).exclude(id=getattr(governing, "id", None))
    assert set(others.values_list("status", flat=True)) <= OVER
    if not live:
        assert governing is None
        assert (present.agreement, present.plan_version.prices.filter(amount__gt=0).exists()) == (None, False)
        return
    (subscription,) = live
    assert governing is not None
    assert _of_agreement(governing) == _of_stripe(subscription)
    if not _is_out_of_grace(governing, history.now):
        assert present.agreement == governing
        same = ("plan_version_id", "interval", "variant", "seats", "anchor")
        assert [getattr(present, name) for name in same] == [getattr(governing, name) for name in same]
    else:
        assert present.agreement is None


def assert_same_cards(history: History) -> None:
    key = history.customer_id()
    theirs = stripe_client().v1.customers.payment_methods.list(key, {"limit": 100}).data if key else []
    assert sorted(card.id for card in payment_methods_of(history.account.id)) == sorted(card.id for card in theirs)


def assert_same_purchases(history: History) -> None:
    """Each payment for credits was credited once and taken back as far as it was; all other money is of invoices."""
    client = stripe_client()
    charges = [one for one in client.v1.charges.list({"limit": 100}).auto_paging_iter() if one.paid]
    by_purchase: dict[str, sdk.Charge] = {}
    for charge in charges:
        mark = client.v1.payment_intents.retrieve(str(charge.payment_intent)).metadata
        if "quaestor_top_up" in mark:
            assert mark["quaestor_top_up"] not in by_purchase
            by_purchase[mark["quaestor_top_up"]] = charge
    rows = {row.id.hex: row for row in TopUp.objects.filter(account=history.account.credits)}
    credited = {key for key, row in rows.items() if row.state == TopUp.State.CREDITED}
    assert credited == set(by_purchase)
    for key in credited:
        refunded = _refunded(rows[key], by_purchase[key])
        part = refunded_part(rows[key].amount, refunded=refunded, total=rows[key].total, currency="USD")
        assert (rows[key].taken_back, _paid(rows[key])) == (part, rows[key].total - refunded)
    bought = sum(charge.amount for charge in by_purchase.values())
    invoices = list(client.v1.invoices.list({"limit": 100}).auto_paging_iter())
    assert_same_invoices(history, invoices)
    assert sum(one.amount for one in charges) == bought + sum(one.amount_paid for one in invoices)


def assert_same_invoices(history: History, invoices: list[sdk.Invoice]) -> None:
    """Each finalized invoice of a subscription that charges something is one document, paid or not as Stripe says."""
    finalized = [one for one in invoices if one.parent and one.status != "draft"]
    charging = {str(one.id) for one in finalized if any(line.amount for line in one.lines.data)}
    made = Invoice.objects.filter(account=history.account).exclude(external_id="")
    documents = made.filter(kind="invoice").select_related("payment")
    ours = {one.external_id: (one.amount_due, one.payment.status) for one in documents}
    theirs = {str(one.id): (from_minor_units(one.total, "USD"), one.status) for one in finalized}
    assert charging <= set(ours)
    assert ours == {key: theirs[key] for key in ours}
    assert_same_corrections(list(documents), list(made.filter(kind="credit_note")))
    assert verify_invoices(account_id=history.account.id) == []


def assert_same_corrections(documents: list[Invoice], notes: list[Invoice]) -> None:
    """Each credit note of Stripe's is one of ours unless it was voided first, and refunds show where they belong."""
    client, ids = stripe_client(), {one.external_id for one in documents}
    found = [one for one in client.v1.credit_notes.list({"limit": 100}).auto_paging_iter() if one.invoice in ids]
    ours = {one.external_id: -one.total for one in notes}
    assert {one.id for one in found if one.status == "issued"} <= set(ours) <= {one.id for one in found}
    assert ours == {one.id: from_minor_units(one.total, "USD") for one in found if one.id in ours}
    for document in documents:
        payment = {"expand": ["data.payment.payment_intent.latest_charge"], "invoice": document.external_id}
        paid = [one.payment.payment_intent for one in client.v1.invoice_payments.list(payment).data]
        charges = [one.latest_charge for one in paid if one.latest_charge is not None]
        back = from_minor_units(sum(one.amount_refunded for one in charges), "USD")
        assert document.payment.refunded == back
        remaining = client.v1.invoices.retrieve(document.external_id)
        if remaining.status == "open":
            assert remaining_of(document.id) == from_minor_units(remaining.amount_remaining, "USD")


def assert_same_usage(history: History) -> None:
    """Meters hold what was reported; what paid invoices asked for usage is settled once, and nobody pays for more."""
    meters = set(StripeMeter.objects.values_list("price_id", flat=True))
    settled = {one.invoice_id: one for one in InvoiceSettlement.objects.filter(account=history.account)}
    assert [one for one in settled.values() if one.metered - one.settled >= CENT] == []
    for invoice in stripe_client().v1.invoices.list({"status": "paid", "limit": 100}).auto_paging_iter():
        units = sum(line.amount for line in invoice.lines.data if price_of(line) in meters)
        assert units == 0 or settled[invoice.id].metered == from_minor_units(units, "USD")
    key = history.customer_id()
    agreement = governing_agreement(history.account.id)
    if key is None or agreement is None:
        return
    start = int(agreement.started_at.timestamp()) // 60 * 60
    span = {"customer": key, "start_time": start, "end_time": int(history.now.timestamp()) // 60 * 60 + 60}
    for meter in StripeMeter.objects.filter(product="pstn"):
        found = stripe_client().v1.billing.meters.event_summaries.list(meter.meter_id, span).auto_paging_iter()
        held = sum((Decimal(str(one.aggregated_value)) for one in found), start=Decimal(0)) / 100
        since = max(
            _instant(start), StripeCustomer.objects.get(account=history.account).created_at.replace(microsecond=0)
        )
        sent = MeterReport.objects.filter(product=meter.product, sent_at__gte=since)  # meters count whole minutes
        assert held == (sent.aggregate(sum=Sum("amount"))["sum"] or 0)


def _of_agreement(agreement: Agreement) -> dict[str, object]:
    version = agreement.plan_version
    return {
        "id": agreement.external_id,
        "status": agreement.status,
        "price": f"quaestor:{version.plan.slug}:v{version.number}:{agreement.interval}:{agreement.variant}",
        "seats": agreement.seats,
        "period": (agreement.period_start, agreement.period_end),
        "cancel_at": agreement.cancel_at,
    }


def _of_stripe(subscription: sdk.Subscription) -> dict[str, object]:
    (item,) = (one for one in subscription["items"].data if one.price.recurring.usage_type == "licensed")
    ends = subscription.cancel_at or (item.current_period_end if subscription.cancel_at_period_end else None)
    return {
        "id": subscription.id,
        "status": subscription.status,
        "price": item.price.lookup_key,
        "seats": item.quantity,
        "period": (_instant(item.current_period_start), _instant(item.current_period_end)),
        "cancel_at": _instant(ends) if ends else None,
    }


def _refunded(row: TopUp, charge: sdk.Charge) -> Decimal:
    disputes = stripe_client().v1.disputes.list({"charge": charge.id}).data
    held = charge.amount_refunded + sum(one.amount for one in disputes if one.status in HELD)
    return min(from_minor_units(held, "USD"), row.total)


def _paid(row: TopUp) -> Decimal:
    """What our books say was paid for a purchase in the end, the fee included."""
    funding = platform_account(LedgerAccount.Kind.FUNDING, "USD")
    moved = Transfer.objects.filter(idempotency_key__contains=f"topup:{row.id}")
    taken = moved.filter(debit_account=funding).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    returned = moved.filter(credit_account=funding).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    return taken - returned


def _is_out_of_grace(agreement: Agreement, at: datetime) -> bool:
    since = agreement.past_due_since
    return agreement.status == "past_due" and since is not None and (at - since).days >= 7


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
