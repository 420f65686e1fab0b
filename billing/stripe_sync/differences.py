"""What differs between Stripe and us, told from fresh reads and our rows; nothing here asks Stripe or writes (S5)."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import stripe

from billing.credits.models import TopUp
from billing.plans.models import PlanVersion
from billing.pricing.fees import refunded_part
from billing.stripe_sync.arrears import LEAST, MARK
from billing.stripe_sync.documents import KnownDocument
from billing.stripe_sync.meter_reading import MeterGap
from billing.stripe_sync.models import CheckoutSession, StripeCustomer
from billing.stripe_sync.processor_invoice import has_charges, is_finalized, is_of_subscription
from billing.stripe_sync.reading import as_id, given_back, noted, plan_item, plan_prices, price_of, read_states
from billing.stripe_sync.stripe_prices import fits
from billing.subscriptions.agreements import gives_plan, terms_of_agreement, terms_of_subscription
from billing.subscriptions.models import Agreement, Subscription
from billing.subscriptions.state import SubscriptionState

MISSING = "missing"
ARREARS = "usage owed"
DETAILS = "billing details"
_OVER = (Agreement.Status.CANCELED, Agreement.Status.INCOMPLETE_EXPIRED)
_State = CheckoutSession.State
# What Stripe calls the states of a page in which ours may be as well; the row that is being opened is open there.
_SAME = {"open": {_State.OPENING, _State.OPEN}, "complete": {_State.COMPLETE}, "expired": {_State.EXPIRED}}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same on both sides; `theirs` and `ours` are words for staff."""

    kind: str
    object_id: str
    field: str
    theirs: str
    ours: str


def subscription_differences(
    subscriptions: Sequence[stripe.Subscription], agreements: Iterable[Agreement]
) -> Iterator[Difference]:
    """Subscriptions that one side lacks, and those that stand otherwise there than here."""
    known = {agreement.external_id: agreement for agreement in agreements}
    states = {state.external_id: state for state in read_states(subscriptions)}
    prices = plan_prices(subscriptions)
    for subscription in subscriptions:
        if subscription.status in Agreement.LIVE and plan_item(subscription, prices) is None:
            yield Difference("subscription", subscription.id, "price", "one that is not ours", MISSING)
    for key, state in states.items():
        if key in known:
            yield from _fields("subscription", key, _of_state(state), _of_agreement(known[key]))
        elif state.status not in _OVER:
            yield Difference("subscription", key, "presence", state.status, MISSING)
    there = {subscription.id for subscription in subscriptions}
    for key, agreement in known.items():
        if key not in there and agreement.status not in _OVER:
            yield Difference("subscription", key, "presence", MISSING, agreement.status)


def plan_differences(
    account: str, governing: Agreement | None, present: Subscription | None, at: datetime
) -> Iterator[Difference]:
    """An account whose plan is not what it pays for."""
    if governing is not None and gives_plan(governing, at):
        if present is None or terms_of_subscription(present) != terms_of_agreement(governing):
            yield Difference("plan", account, "terms", _terms(governing), _terms(present) if present else MISSING)
    elif present is not None and present.agreement is not None:
        yield Difference("plan", account, "terms", "not paid for", _terms(present))


def customer_differences(customer: stripe.Customer, copied_card: str) -> Iterator[Difference]:
    """The card that Stripe charges by default, against the one that we show."""
    card = as_id(customer.invoice_settings.default_payment_method) if customer.invoice_settings else ""
    if card != copied_card:
        yield Difference("customer", customer.id, "default card", card or "none", copied_card or "none")


def details_differences(customer: StripeCustomer, names: Iterable[str]) -> Iterator[Difference]:
    """What of the billing details Stripe has otherwise, by name alone: what they say may be a person's (I1)."""
    for name in names:
        is_refused = (customer.details_refused == "tax_id") is (name == "tax id") and bool(customer.details_refused)
        theirs = "refused, or another" if is_refused else "none, or another"
        yield Difference(DETAILS, customer.customer_id, name, theirs, "as the tenant said")


def checkout_differences(
    sessions: Iterable[stripe.checkout.Session], rows: Mapping[str, CheckoutSession]
) -> Iterator[Difference]:
    """Pages that were paid or closed unnoticed, and paid credits that were not given; rows by the hex of their id."""
    for session in sessions:
        row = rows.get(noted(session, "quaestor_checkout"))
        if row is None:
            continue
        if row.state not in _SAME[session.status or "open"]:
            yield Difference("checkout", session.id, "state", str(session.status), row.state)
        top_up = row.top_up
        is_paid = session.status == "complete" and session.payment_status == "paid"
        if top_up is not None and is_paid and top_up.state != TopUp.State.CREDITED:
            yield Difference("credits", session.id, "credited", "paid", top_up.state)


def payment_differences(
    charges: Iterable[stripe.Charge], disputes: Mapping[str, Sequence[stripe.Dispute]], top_ups: Mapping[str, TopUp]
) -> Iterator[Difference]:
    """Refunds and disputes of credited purchases that took too little back, or too much; purchases by their payment."""
    for charge in charges:
        top_up = top_ups.get(as_id(charge.payment_intent))
        if top_up is None or top_up.state != TopUp.State.CREDITED:
            continue
        held = min(given_back(charge, disputes.get(charge.id, ())), top_up.total)
        part = refunded_part(top_up.amount, refunded=held, total=top_up.total, currency=top_up.currency)
        if part != top_up.taken_back:
            yield Difference("payment", charge.id, "taken back", f"{part:f}", f"{top_up.taken_back:f}")


def invoice_differences(
    invoices: Iterable[stripe.Invoice], settled: Collection[str], meters: Collection[str], arrears: Collection[str]
) -> Iterator[Difference]:
    """Paid invoices for usage that did not settle it (S7).

    `meters` are the ids of the meters' prices, `arrears` the marks of our invoices for what was owed. Told from the
    lines that come with an invoice, ten at most.
    """
    for invoice in invoices:
        units = sum(line.amount for line in invoice.lines.data if price_of(line) in meters)
        units += invoice.total if noted(invoice, MARK) in arrears else 0
        if invoice.status == "paid" and units > 0 and invoice.id not in settled:
            yield Difference("invoice", invoice.id, "settled", f"{units} {invoice.currency}, in minor units", MISSING)


def document_differences(
    invoices: Iterable[stripe.Invoice], documents: Mapping[str, KnownDocument]
) -> Iterator[Difference]:
    """Invoices of subscriptions without a document, and documents whose payment stands otherwise at Stripe (I1, I2)."""
    for invoice in invoices:
        document = documents.get(str(invoice.id))
        if not (is_finalized(invoice) and is_of_subscription(invoice)):
            continue
        if document is None and has_charges(invoice):
            said = f"{invoice.number}: {invoice.total} {invoice.currency}, in minor units"
            yield Difference("invoice", str(invoice.id), "without document", said, MISSING)
        elif document is not None and (document.status, document.attempts) != (invoice.status, invoice.attempt_count):
            theirs = f"{invoice.status}, tries: {invoice.attempt_count}"
            ours = f"{document.number} {document.status}, tries: {document.attempts}"
            yield Difference("invoice", str(invoice.id), "payment", theirs, ours)


def note_differences(
    invoice: stripe.Invoice, notes: Iterable[stripe.CreditNote], known: Collection[str], creditable: Decimal
) -> Iterator[Difference]:
    """Credit notes of a documented invoice without a document (I1); `creditable` is what may still be credited."""
    for note in notes:
        if note.status == "issued" and note.id not in known:
            said = f"{note.total} {note.currency}, in minor units"
            ours = f"{MISSING}; {creditable.normalize():f} can still be credited"
            yield Difference("invoice", str(invoice.id), f"credit note {note.number}"[:60], said, ours)


def given_back_differences(key: str, field: str, theirs: Decimal, ours: Decimal) -> Iterator[Difference]:
    """Refunds of an invoice's payment, or what voided credit notes had taken off, that we show otherwise (I2)."""
    if theirs != ours:
        yield Difference("invoice", key, field, f"{theirs.normalize():f}", f"{ours.normalize():f}")


def meter_differences(customer: StripeCustomer, gaps: Iterable[MeterGap]) -> Iterator[Difference]:
    """Meters that hold something else than was sent to them (S7)."""
    currency = customer.account.currency
    for gap in gaps:
        theirs, ours = f"holds {gap.held.normalize():f} {currency}", f"{gap.sent.normalize():f} {currency} sent"
        yield Difference("meter", customer.customer_id, gap.product, theirs, ours)


def arrears_differences(account: str, owed: Decimal, currency: str) -> Iterator[Difference]:
    """Usage that is owed after the last subscription's end, and nobody bills it (S7)."""
    if owed >= LEAST:
        yield Difference(ARREARS, account, "nobody bills it", "on no invoice", f"{owed:f} {currency} owed")


def price_difference(key: str, found: stripe.Price | None, wanted: dict[str, Any]) -> Iterator[Difference]:
    """A price of the catalogue that is not for sale, or not for what it should be."""
    if found is None:
        yield Difference("price", key, "presence", MISSING, "for sale")
    elif not fits(found, wanted):
        theirs, ours = (f"{amount} {wanted['currency']}" for amount in (found.unit_amount, wanted["unit_amount"]))
        yield Difference("price", key, "amount", theirs, ours)
    elif not found.active:
        yield Difference("price", key, "active", "archived", "for sale")


def _fields(kind: str, key: str, theirs: dict[str, object], ours: dict[str, object]) -> Iterator[Difference]:
    for name, value in theirs.items():
        if value != ours[name]:
            yield Difference(kind, key, name, _shown(value), _shown(ours[name]))


def _of_state(state: SubscriptionState) -> dict[str, object]:
    """An ended one is past: only that it ended counts."""
    if state.status in _OVER:
        return {"status": state.status}
    return {
        "status": state.status,
        "plan version": state.plan_version_id,
        "interval": state.interval,
        "variant": state.variant,
        "seats": state.seats,
        "period end": state.period_end,
        "cancel at": state.cancel_at,
    }


def _of_agreement(agreement: Agreement) -> dict[str, object]:
    return {
        "status": agreement.status,
        "plan version": agreement.plan_version_id,
        "interval": agreement.interval,
        "variant": agreement.variant,
        "seats": agreement.seats,
        "period end": agreement.period_end,
        "cancel at": agreement.cancel_at,
    }


def _terms(thing: Agreement | Subscription) -> str:
    version: PlanVersion = thing.plan_version
    return f"{version}, {thing.interval}, {thing.variant}, {thing.seats} seats"


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return "none" if value is None else str(value)
