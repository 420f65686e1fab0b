from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import stripe
from django.db import transaction
from djstripe.models import Customer

from billing.core.ids import encode_id
from billing.core.money import from_minor_units
from billing.credits.models import TopUp
from billing.invoices.models import BillingDetails, Invoice
from billing.invoices.services.correct_usage import creditable_of
from billing.stripe_sync.arrears import unbilled
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.credit_notes import (
    invoices_paid_by,
    known_notes,
    noted_invoices,
    read_credit_notes,
    taken_off,
)
from billing.stripe_sync.customer_details import differing_details
from billing.stripe_sync.differences import (
    MISSING,
    Difference,
    arrears_differences,
    checkout_differences,
    customer_differences,
    details_differences,
    document_differences,
    given_back_differences,
    invoice_differences,
    meter_differences,
    note_differences,
    payment_differences,
    plan_differences,
    subscription_differences,
)
from billing.stripe_sync.documents import KnownDocument, documents_of
from billing.stripe_sync.meter_reading import meter_gaps
from billing.stripe_sync.models import (
    ArrearsInvoice,
    CheckoutSession,
    DriftFinding,
    InvoiceSettlement,
    StripeCustomer,
    StripeMeter,
)
from billing.stripe_sync.reading import as_id, noted
from billing.stripe_sync.remote import read_customer, read_subscriptions, read_tax_ids
from billing.stripe_sync.services.record_findings import record_findings
from billing.stripe_sync.services.sync_customer import lock_customer
from billing.subscriptions.agreements import latest_subscription
from billing.subscriptions.models import Agreement
from billing.subscriptions.queries import governing_agreement

_DEFAULT_CARD = "stripe_data__invoice_settings__default_payment_method"
_NEWEST = 100  # Checkout pages, invoices and payments: older ones have been looked at many times
_DISPUTABLE = timedelta(days=180)  # banks allow 120 days as a rule


@transaction.atomic
def find_drift(*, account_id: UUID, at: datetime) -> list[DriftFinding]:
    """Compare an account with what Stripe has of it, and put what differs on the drift report; changes nothing (S5).

    Under the lock of its customer, so that no event is applied between both looks. Answers what is open. Raises
    StripeNotConfigured, stripe.StripeError.
    """
    customer = lock_customer(account_id)
    if customer is None:
        return []
    return record_findings(account_id=account_id, differences=list(_differences(customer, at)), at=at)


def _differences(customer: StripeCustomer, at: datetime) -> Iterator[Difference]:
    client, account_id = stripe_client(), customer.account_id
    remote = read_customer(client, customer.customer_id)
    subscriptions: list[stripe.Subscription] = []
    if remote is not None:
        subscriptions = read_subscriptions(client, customer.customer_id)
        copy = Customer.objects.filter(id=remote.id).values_list(_DEFAULT_CARD, flat=True)
        yield from customer_differences(remote, copy.first() or "")
        yield from _details(client, customer, remote)
        yield from meter_differences(customer, meter_gaps(client, customer, at))
    elif customer.deleted_at is None:
        yield Difference("customer", customer.customer_id, "presence", MISSING, "known")
    yield from _checkouts(client, customer)  # what a deleted customer has paid stays at Stripe
    yield from _invoices(client, customer)
    yield from _payments(client, customer, at)
    agreements = Agreement.objects.filter(account_id=account_id)
    yield from subscription_differences(subscriptions, agreements)
    account, governing = encode_id("acc", account_id), governing_agreement(account_id)
    yield from plan_differences(account, governing, latest_subscription(account_id), at)
    if governing is None and agreements.exists():
        yield from arrears_differences(account, unbilled(client, customer), customer.account.currency)


def _details(client: stripe.StripeClient, customer: StripeCustomer, remote: stripe.Customer) -> Iterator[Difference]:
    details = BillingDetails.objects.filter(account_id=customer.account_id).first()
    if details is not None:
        there = read_tax_ids(client, remote.id)
        yield from details_differences(customer, differing_details(customer.account, details, remote, there))


def _checkouts(client: stripe.StripeClient, customer: StripeCustomer) -> Iterator[Difference]:
    found = client.v1.checkout.sessions.list({"customer": customer.customer_id, "limit": _NEWEST}).data
    marks = {noted(session, "quaestor_checkout") for session in found}
    rows = CheckoutSession.objects.filter(account_id=customer.account_id).select_related("top_up")
    yield from checkout_differences(found, {row.id.hex: row for row in rows if row.id.hex in marks})


def _invoices(client: stripe.StripeClient, customer: StripeCustomer) -> Iterator[Difference]:
    meters = set(StripeMeter.objects.values_list("price_id", flat=True))
    settled = set(InvoiceSettlement.objects.filter(account_id=customer.account_id).values_list("invoice_id", flat=True))
    found = client.v1.invoices.list({"customer": customer.customer_id, "limit": _NEWEST}).data
    arrears = {
        row.hex for row in ArrearsInvoice.objects.filter(account_id=customer.account_id).values_list("id", flat=True)
    }
    yield from invoice_differences(found, settled, meters, arrears)
    documents = documents_of(str(one.id) for one in found)
    yield from document_differences(found, documents)
    yield from _credit_notes(client, found, documents)


def _credit_notes(
    client: stripe.StripeClient, invoices: Iterable[stripe.Invoice], documents: Mapping[str, KnownDocument]
) -> Iterator[Difference]:
    noted_on = noted_invoices(documents)
    for invoice in invoices:
        key = str(invoice.id)
        if key not in documents:
            continue
        notes = read_credit_notes(client, invoice, has_documents=key in noted_on)
        if notes:
            left = creditable_of(Invoice.objects.get(id=documents[key].id))
            yield from note_differences(invoice, notes, known_notes(notes), left)
            voided = taken_off(notes, status="void")
            yield from given_back_differences(key, "voided credit notes", voided, documents[key].voided_notes)


def _refunds(
    client: stripe.StripeClient, charges: Iterable[stripe.Charge], top_ups: Mapping[str, TopUp]
) -> Iterator[Difference]:
    """Of payments of invoices that have a document."""
    refunded: defaultdict[str, Decimal] = defaultdict(Decimal)
    for charge in charges:
        intent_id = as_id(charge.payment_intent)
        if charge.amount_refunded and intent_id and intent_id not in top_ups:
            for invoice_id in invoices_paid_by(client, intent_id):
                refunded[invoice_id] += from_minor_units(charge.amount_refunded, charge.currency.upper())
    documents = documents_of(refunded) if refunded else {}
    for key, document in documents.items():
        yield from given_back_differences(key, "refunded", refunded[key], document.refunded)


def _payments(client: stripe.StripeClient, customer: StripeCustomer, at: datetime) -> Iterator[Difference]:
    listed = client.v1.charges.list({"customer": customer.customer_id, "limit": _NEWEST})
    bought = TopUp.objects.filter(account_id=customer.account.credits_id)
    top_ups = {row.payment_reference: row for row in bought.exclude(payment_reference="")}
    charges = list(listed.data)
    if not listed.has_more:
        charges += _of_former_customers(client, charges, top_ups, at)
    disputes = {charge.id: client.v1.disputes.list({"charge": charge.id}).data for charge in charges if charge.disputed}
    yield from payment_differences(charges, disputes, top_ups)
    yield from _refunds(client, charges, top_ups)


def _of_former_customers(
    client: stripe.StripeClient, charges: Iterable[stripe.Charge], top_ups: Mapping[str, TopUp], at: datetime
) -> Iterator[stripe.Charge]:
    """Payments for purchases that the customer of today did not make: an earlier one did, whom Stripe has deleted."""
    young = {key for key, row in top_ups.items() if row.credited_at and row.credited_at > at - _DISPUTABLE}
    for key in sorted(young - {as_id(charge.payment_intent) for charge in charges}):
        charge = client.v1.payment_intents.retrieve(key, {"expand": ["latest_charge"]}).latest_charge
        if isinstance(charge, stripe.Charge):
            yield charge
