"""Issued documents against the invoices at Stripe that they are of: the proof that both are one sum (I1, S7)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import stripe
from djstripe.models import Invoice as Copy

from billing.core.money import from_minor_units
from billing.core.periods import Period
from billing.invoices.models import Invoice
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.credit_notes import known_notes, noted_invoices, read_credit_notes
from billing.stripe_sync.errors import is_gone
from billing.stripe_sync.models import StripeCustomer
from billing.stripe_sync.processor_invoice import has_charges, is_finalized, is_of_subscription
from billing.stripe_sync.reading import instant


class Sums(NamedTuple):
    """What was asked for on both sides, in one currency."""

    due_there: Decimal = Decimal(0)
    due_here: Decimal = Decimal(0)
    tax_there: Decimal = Decimal(0)
    tax_here: Decimal = Decimal(0)


@dataclass
class InvoiceAgreement:
    """How many documents were compared, their sums by currency, and what differs, a sentence each."""

    compared: int = 0
    sums: defaultdict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    findings: list[str] = field(default_factory=list)


def compare_invoices(
    *, account_id: UUID | None = None, period: Period | None = None, fresh: bool = False
) -> InvoiceAgreement:
    """Compare the documents of one account or all, those on a period, with Stripe's invoices.

    With our copies of them, or `fresh` with what Stripe says now. An invoice of a subscription that charges something
    has one document. Raises, with `fresh`, StripeNotConfigured, stripe.StripeError.
    """
    found = InvoiceAgreement()
    customers = StripeCustomer.objects.order_by("account_id")
    for customer in customers if account_id is None else customers.filter(account_id=account_id):
        _compare(customer, period, fresh, found)
    return found


def _compare(customer: StripeCustomer, period: Period | None, fresh: bool, found: InvoiceAgreement) -> None:
    documents = Invoice.objects.filter(account_id=customer.account_id, kind=Invoice.Kind.INVOICE)
    documents = documents.exclude(external_id="")
    noted_on = noted_invoices(document.external_id for document in documents) if fresh else set()
    ours = {document.external_id: document for document in documents}
    for invoice in _fresh(customer, ours) if fresh else _copies(customer, ours):
        if not (is_finalized(invoice) and is_of_subscription(invoice)):
            continue
        document = ours.pop(str(invoice.id), None)
        if document is None:
            if has_charges(invoice) and (period is None or period.contains(instant(invoice.created))):
                found.findings.append(f"{invoice.number} ({invoice.id}): it has no document.")
        elif _is_on(document, period):
            _add(document, invoice, found)
            if fresh:
                _compare_notes(document, invoice, found, has_documents=str(invoice.id) in noted_on)
    for key, document in ours.items():
        if _is_on(document, period):
            found.findings.append(f"{document.number}: the invoice {key} that it is of is not there.")


def _add(document: Invoice, invoice: stripe.Invoice, found: InvoiceAgreement) -> None:
    currency = invoice.currency.upper()
    due = from_minor_units(invoice.total, currency)
    tax = from_minor_units(sum(one.amount for one in invoice.total_taxes or ()), currency)
    before = found.sums[currency]
    found.compared += 1
    found.sums[currency] = Sums(
        before.due_there + due,
        before.due_here + document.amount_due,
        before.tax_there + tax,
        before.tax_here + document.tax,
    )
    for name, theirs, here in (
        ("currency", currency, document.currency),
        ("number", invoice.number or "", document.external_number),
        ("amount due", due, document.amount_due),
        ("tax", tax, document.tax),
    ):
        if theirs != here:
            found.findings.append(f"{document.number}: its {name} is {_shown(here)}, at Stripe {_shown(theirs)}.")


def _compare_notes(document: Invoice, invoice: stripe.Invoice, found: InvoiceAgreement, *, has_documents: bool) -> None:
    """Each credit note of an invoice has one document that says the same; one that was voided may have."""
    notes = read_credit_notes(stripe_client(), invoice, has_documents=has_documents)
    known = known_notes(notes)
    for note in notes:
        ours, currency = known.get(note.id), note.currency.upper()
        if ours is None and note.status == "issued":
            found.findings.append(f"{document.number}: the credit note {note.number} ({note.id}) has no document.")
        if ours is None:
            continue
        total = from_minor_units(note.total, currency)
        tax = from_minor_units(sum(one.amount for one in note.total_taxes or ()), currency)
        for name, theirs, here in (("total", total, -ours.total), ("tax", tax, -ours.tax)):
            if theirs != here:
                found.findings.append(f"{ours.number}: its {name} is {_shown(here)}, at Stripe {_shown(theirs)}.")


def _is_on(document: Invoice, period: Period | None) -> bool:
    return period is None or (document.period_start < period.end and document.period_end > period.start)


def _shown(value: object) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _copies(customer: StripeCustomer, wanted: Iterable[str]) -> Iterator[stripe.Invoice]:
    """Of the customer, and of those before it that Stripe has deleted."""
    rows = Copy.objects.filter(customer__id=customer.customer_id) | Copy.objects.filter(id__in=list(wanted))
    for data in rows.values_list("stripe_data", flat=True):
        yield stripe.Invoice.construct_from(data, None)


def _fresh(customer: StripeCustomer, wanted: Iterable[str]) -> Iterator[stripe.Invoice]:
    client, left = stripe_client(), set(wanted)
    for invoice in client.v1.invoices.list({"customer": customer.customer_id, "limit": 100}).auto_paging_iter():
        left.discard(str(invoice.id))
        yield invoice
    for key in sorted(left):
        try:
            yield client.v1.invoices.retrieve(key)
        except stripe.InvalidRequestError as error:
            if not is_gone(error):
                raise
