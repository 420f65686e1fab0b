"""What the API tells about issued documents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from django.conf import settings
from django.urls import reverse

from billing.api.figures import Amount, Minor, Quantity, amount, minor, quantity
from billing.api.views.usage import PeriodAnswer
from billing.core.ids import encode_id
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.queries import Document, public_id


class InvoiceRowAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A document, amounts in `currency` with its decimals. Nothing of it ever changes but its payment: `status`,
    `amount_paid`, `amount_refunded`, `amount_remaining`, `paid_at` and `hosted_url`.

    `total` is `subtotal` and `tax`. `amount_due` is the total less `credits_applied`, with `carried_over`: usage that
    earlier invoices list and this one asks for (positive), or that it lists and the next one asks for (negative).
    `amount_remaining` is what is due less what was paid and what credit notes took off. `hosted_url` is where it can be
    paid by hand.

    A credit note's amounts are negative; it has no `status`, and `corrects` names its invoice. Of it, `off_debt` was
    taken off what was owed, and `as_credits` came back as prepaid credits; the rest was given back by the payment
    processor.
    """

    id: str
    number: str
    kind: str
    reason: str
    status: str | None
    currency: str
    period: PeriodAnswer
    issued_at: datetime
    subtotal: Minor
    tax: Minor
    total: Minor
    credits_applied: Minor
    carried_over: Minor
    amount_due: Minor
    amount_paid: Minor
    amount_refunded: Minor
    amount_remaining: Minor
    paid_at: datetime | None
    hosted_url: str | None
    pdf_url: str
    corrects: str | None
    note: str
    off_debt: Minor
    as_credits: Minor


class InvoicesAnswer(msgspec.Struct, frozen=True):
    """A page of an account's documents, the newest first."""

    results: list[InvoiceRowAnswer]
    next: str | None


class LineDetailAnswer(msgspec.Struct, frozen=True):
    """What a model comes to within a line of model usage, on one kind of key."""

    provider: str
    model: str
    credential_source: str
    requests: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost: Amount


class InvoiceLineAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One charge: `rated_amount` is exact, `amount` is it in whole minor units, rounded half-up once.

    Of usage, `period` is when it happened, and `funding` who pays: `credits`, `invoice`, `included` in the plan, or the
    tenant to a `provider`; the last two cost nothing here.
    """

    kind: str
    description: str
    product: str
    unit: str
    funding: str
    quantity: Quantity
    requests: int
    amount: Minor
    rated_amount: Amount
    period: PeriodAnswer
    details: list[LineDetailAnswer]


class TaxAnswer(msgspec.Struct, frozen=True):
    """A tax as the payment processor computed it, on `taxable_amount`: what it asks for itself, which is not the
    document's `subtotal` where that lists credits' usage or something is carried over. Null where it was not told.
    """

    name: str
    percent: str | None
    country: str
    amount: Minor
    taxable_amount: Minor | None


class CreditNoteAnswer(msgspec.Struct, frozen=True):
    """A credit note of an invoice; its amount is positive here."""

    id: str
    number: str
    amount: Minor
    issued_at: datetime
    note: str
    pdf_url: str


class SellerAnswer(msgspec.Struct, frozen=True):
    """Who issued the document, as it was then."""

    name: str
    address: list[str]
    tax_id: str
    email: str


class CustomerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """To whom it was issued, as it was then; `account` is the billing account's name."""

    name: str
    line1: str
    line2: str
    postal_code: str
    city: str
    region: str
    country: str
    tax_id: str
    reference: str
    account: str


class InvoiceAnswer(InvoiceRowAnswer, frozen=True, kw_only=True):
    """A document with its lines. `content_hash` seals it: the SHA-256 of all that it says, `previous_hash` of the
    account's document before it included.
    """

    lines: list[InvoiceLineAnswer]
    taxes: list[TaxAnswer]
    credit_notes: list[CreditNoteAnswer]
    customer: CustomerAnswer
    seller: SellerAnswer
    previous_hash: str
    content_hash: str


def invoice_row(document: Document) -> InvoiceRowAnswer:
    """A document as lists have it."""
    return InvoiceRowAnswer(**_row(document))


def invoice_answer(document: Document, lines: Sequence[InvoiceLine]) -> InvoiceAnswer:
    """All of a document."""
    invoice = document.invoice
    return InvoiceAnswer(
        **_row(document),
        lines=[_line(line, invoice.currency) for line in lines],
        taxes=[_tax(tax, invoice.currency) for tax in invoice.taxes],
        credit_notes=[_credit_note(note) for note in document.credit_notes],
        customer=_customer(invoice.customer),
        seller=_seller(invoice.seller),
        previous_hash=invoice.previous_hash,
        content_hash=invoice.content_hash,
    )


def _row(document: Document) -> dict[str, Any]:
    invoice, payment = document.invoice, document.payment
    figures = {
        "subtotal": invoice.subtotal,
        "tax": invoice.tax,
        "total": invoice.total,
        "credits_applied": invoice.credits_applied,
        "carried_over": invoice.carried,
        "amount_due": invoice.amount_due,
        "amount_paid": payment.amount_paid if payment is not None else Decimal(0),
        "amount_refunded": payment.refunded if payment is not None else Decimal(0),
        "amount_remaining": document.remaining,
        "off_debt": invoice.off_debt,
        "as_credits": invoice.as_credits,
    }
    return {name: minor(figure, invoice.currency) for name, figure in figures.items()} | {
        "id": document.public_id,
        "number": invoice.number,
        "kind": invoice.kind,
        "reason": invoice.reason,
        "status": document.status or None,
        "currency": invoice.currency,
        "period": PeriodAnswer(invoice.period_start, invoice.period_end),
        "issued_at": invoice.issued_at,
        "paid_at": payment.paid_at if payment is not None else None,
        "hosted_url": document.hosted_url or None,
        "pdf_url": _pdf_url(invoice),
        "corrects": None if invoice.corrects_id is None else encode_id("inv", invoice.corrects_id),
        "note": invoice.note,
    }


def _line(line: InvoiceLine, currency: str) -> InvoiceLineAnswer:
    return InvoiceLineAnswer(
        kind=line.kind,
        description=line.description,
        product=line.product,
        unit=line.unit,
        funding=line.funding,
        quantity=quantity(line.quantity),
        requests=line.requests,
        amount=minor(line.amount, currency),
        rated_amount=amount(line.rated),
        period=PeriodAnswer(line.period_start, line.period_end),
        details=[msgspec.convert(detail, LineDetailAnswer) for detail in line.details],
    )


def _tax(tax: Mapping[str, Any], currency: str) -> TaxAnswer:
    percent, taxable = tax.get("percent"), tax.get("taxable")
    return TaxAnswer(
        name=tax["name"],
        percent=None if percent is None else str(percent),
        country=tax["country"],
        amount=minor(Decimal(tax["amount"]), currency),
        taxable_amount=None if taxable is None else minor(Decimal(taxable), currency),
    )


def _credit_note(note: Invoice) -> CreditNoteAnswer:
    return CreditNoteAnswer(
        id=public_id(note),
        number=note.number,
        amount=minor(-note.total, note.currency),
        issued_at=note.issued_at,
        note=note.note,
        pdf_url=_pdf_url(note),
    )


def _customer(facts: Mapping[str, Any]) -> CustomerAnswer:
    return CustomerAnswer(**{name: facts.get(name, "") for name in CustomerAnswer.__struct_fields__})


def _seller(facts: Mapping[str, Any]) -> SellerAnswer:
    said = {name: facts.get(name, "") for name in ("name", "tax_id", "email")}
    return SellerAnswer(**said, address=list(facts.get("address", ())))


def _pdf_url(invoice: Invoice) -> str:
    return f"{settings.QUAESTOR_ORIGIN.rstrip('/')}{reverse('api-invoice', args=[public_id(invoice)])}.pdf"
