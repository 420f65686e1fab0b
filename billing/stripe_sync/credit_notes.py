"""Credit notes that staff make at Stripe, and what went back of an invoice's payment, for our documents (I1, I2)."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import stripe
import structlog
from django.db.models import Sum

from billing.core.money import from_minor_units
from billing.invoices.documents.formats import money
from billing.invoices.models import Invoice
from billing.invoices.processor import ProcessorNote, ProcessorNoteLine, ProcessorTax
from billing.stripe_sync.errors import told
from billing.stripe_sync.processor_invoice import read_taxes
from billing.stripe_sync.reading import as_id

_log = structlog.get_logger(__name__)
_CHARGE = "data.payment.payment_intent.latest_charge"
_LONGEST_TEXT = 300
_REASONS = {
    "duplicate": "Charged twice.",
    "fraudulent": "Not ordered by the customer.",
    "order_change": "The order was changed.",
    "product_unsatisfactory": "Not as it was expected.",
}


def read_credit_notes(
    client: stripe.StripeClient, invoice: stripe.Invoice, *, has_documents: bool
) -> list[stripe.CreditNote]:
    """Those of an invoice, voided ones too, oldest first; asks only where it has any, or we have (`has_documents`).

    None where a restricted key may not read them. Raises stripe.StripeError.
    """
    has_any = invoice.pre_payment_credit_notes_amount or invoice.post_payment_credit_notes_amount
    if not (has_any or has_documents):
        return []
    try:
        found = list(client.v1.credit_notes.list({"invoice": str(invoice.id), "limit": 100}).auto_paging_iter())
    except stripe.PermissionError:
        _log.warning("credit_notes_not_readable", invoice=invoice.id)
        return []
    return found[::-1]


def known_notes(notes: Iterable[stripe.CreditNote]) -> dict[str, Invoice]:
    """The documents of credit notes, by Stripe's id; one query."""
    return {row.external_id: row for row in Invoice.objects.filter(external_id__in=[note.id for note in notes])}


def unnoted(client: stripe.StripeClient, notes: Iterable[stripe.CreditNote]) -> list[ProcessorNote]:
    """Those without a document that were not voided before we heard of them, with all that is on them.

    One that cannot be read is logged and left out: it must not stop what else its invoice means. Raises
    stripe.StripeError.
    """
    issued = [note for note in notes if note.status == "issued"]
    known = known_notes(issued) if issued else {}
    found = []
    for note in issued:
        if note.id in known:
            continue
        try:
            found.append(_read(client, note))
        except (ValueError, ArithmeticError, LookupError) as error:
            _log.warning("credit_note_not_readable", credit_note=note.id, error=told(error))
    return found


def noted_invoices(invoice_ids: Iterable[str]) -> set[str]:
    """Those of Stripe's invoices that credit notes of Stripe's have documents on; one query."""
    notes = Invoice.objects.filter(reason=Invoice.Reason.PROCESSOR, corrects__external_id__in=list(invoice_ids))
    return set(notes.values_list("corrects__external_id", flat=True))


def taken_off(notes: Iterable[stripe.CreditNote], *, status: str) -> Decimal:
    """What documented notes of a status, issued or void, took off what was to be paid."""
    keys = [note.id for note in notes if note.status == status]
    off = Invoice.objects.filter(external_id__in=keys).aggregate(sum=Sum("off_debt"))["sum"] if keys else None
    return off or Decimal(0)


def read_refunded(client: stripe.StripeClient, invoice: stripe.Invoice) -> Decimal | None:
    """What went back of an invoice's payments; None where a restricted key may not ask. Raises stripe.StripeError."""
    if not invoice.amount_paid:
        return Decimal(0)
    wanted: Any = {"invoice": str(invoice.id), "status": "paid", "limit": 100, "expand": [_CHARGE]}
    try:
        paid = list(client.v1.invoice_payments.list(wanted).auto_paging_iter())
    except stripe.PermissionError:
        _log.warning("invoice_payments_not_readable", invoice=invoice.id)
        return None
    charges = [getattr(payment.payment.payment_intent, "latest_charge", None) for payment in paid]
    units = sum(charge.amount_refunded for charge in charges if isinstance(charge, stripe.Charge))
    return from_minor_units(units, invoice.currency.upper())


def invoices_paid_by(client: stripe.StripeClient, intent_id: str) -> list[str]:
    """The ids of the invoices that a payment is of; none where a restricted key may not ask. Raises StripeError."""
    wanted: Any = {"payment": {"type": "payment_intent", "payment_intent": intent_id}, "limit": 100}
    try:
        found = client.v1.invoice_payments.list(wanted)
    except stripe.PermissionError:
        return []
    return [as_id(payment.invoice) for payment in found.data]


def _read(client: stripe.StripeClient, note: stripe.CreditNote) -> ProcessorNote:
    currency = note.currency.upper()
    taxes = list(read_taxes(client, note.total_taxes or (), currency))
    return ProcessorNote(
        external_id=note.id,
        number=note.number,
        invoice_id=as_id(note.invoice),
        currency=currency,
        lines=_lines(client, note, taxes, currency),
        taxes=taxes,
        total=from_minor_units(note.total, currency),
        off_debt=from_minor_units(note.pre_payment_amount, currency),
        text=_text(note, currency),
    )


def _lines(
    client: stripe.StripeClient, note: stripe.CreditNote, taxes: Iterable[ProcessorTax], currency: str
) -> list[ProcessorNoteLine]:
    """As Stripe has them; one line where they do not come to the note, as with shipping or credit on the whole."""
    net = from_minor_units(note.total, currency) - sum((tax.amount for tax in taxes), start=Decimal(0))
    there = note.lines.data
    if note.lines.has_more:
        there = list(client.v1.credit_notes.line_items.list(note.id, {"limit": 100}).auto_paging_iter())
    lines = [_line(line, currency) for line in there]
    if sum((line.amount for line in lines), start=Decimal(0)) == net:
        return lines
    return [ProcessorNoteLine("", "Credit", Decimal(1), net)]


def _line(line: stripe.CreditNoteLineItem, currency: str) -> ProcessorNoteLine:
    taken_off = line.pretax_credit_amounts or line.discount_amounts or ()  # the former include the latter
    within = sum(tax.amount for tax in line.taxes or () if tax.tax_behavior == "inclusive")
    net = line.amount - sum(one.amount for one in taken_off) - within
    return ProcessorNoteLine(
        line.id, line.description or "Credit", Decimal(line.quantity or 1), from_minor_units(net, currency)
    )


def _text(note: stripe.CreditNote, currency: str) -> str:
    """Why, and how what had been paid is given back."""
    why = note.memo or _REASONS.get(note.reason or "", "")
    if why and why[-1] not in ".!?":
        why = f"{why}."
    ways = " ".join(f"{money(from_minor_units(units, currency), currency)} {how}." for units, how in _ways(note))
    room = _LONGEST_TEXT - len(ways) - 1
    return f"{why[:room]} {ways}".strip()


def _ways(note: stripe.CreditNote) -> Iterator[tuple[int, str]]:
    refunded = sum(refund.amount_refunded for refund in note.refunds)
    outside = note.out_of_band_amount or 0
    kept = note.post_payment_amount - refunded - outside
    for units, how in (
        (refunded, "goes back the way it was paid"),
        (kept, "comes off later invoices of the card processor"),
        (outside, "is given back by other means"),
    ):
        if units > 0:
            yield units, how
