from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import stripe
from django.db import transaction

from billing.core.money import from_minor_units
from billing.credits.services.settle_receivable import settle_receivable
from billing.invoices.processor import ProcessorNote
from billing.invoices.services.follow_one_off import follow_one_off
from billing.invoices.services.follow_payment import follow_payment
from billing.invoices.services.refresh_payments import refresh_payments
from billing.stripe_sync.arrears import MARK, metered_on
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.credit_notes import noted_invoices, read_credit_notes, read_refunded, taken_off, unnoted
from billing.stripe_sync.documents import undocumented
from billing.stripe_sync.mirror import mirror
from billing.stripe_sync.models import ArrearsInvoice, InvoiceSettlement, StripeCustomer
from billing.stripe_sync.processor_invoice import Beside, is_finalized, is_of_subscription, read_payment
from billing.stripe_sync.reading import as_id, noted
from billing.stripe_sync.services.issue_documents import issue_credit_notes, issue_documents

_STATES = {
    "draft": ArrearsInvoice.State.OPENING,
    "open": ArrearsInvoice.State.OPEN,
    "paid": ArrearsInvoice.State.PAID,
    "void": ArrearsInvoice.State.CLOSED,
    "uncollectible": ArrearsInvoice.State.CLOSED,
}


@dataclass(frozen=True, slots=True)
class _Corrections:
    """What staff did to an invoice at Stripe: its credit notes, those to document among them, and what went back."""

    notes: Sequence[stripe.CreditNote] = ()
    to_note: Sequence[ProcessorNote] = ()
    refunded: Decimal | None = None

    def beside(self) -> Beside:
        """By the documents that there are by now."""
        issued, voided = (taken_off(self.notes, status=status) for status in ("issued", "void"))
        return Beside(self.refunded, issued, voided)


def sync_invoice(*, invoice_id: str, at: datetime) -> bool:
    """Read an invoice afresh and copy it; a paid one settles the usage that it asked for (S4, S7). Whether it is ours.

    A finalized one of a subscription becomes a document, once, whose payment follows it, refunds too, and so does each
    credit note on it (I1, I2).
    Its metered lines, or the amount of one that we made for arrears, come off what the account owes, once for ever and
    never more than is owed; nothing else on it moves money here, credits least of all. A line is rounded to the minor
    unit, so that a part of a unit may stay owed or be forgiven. Raises StripeNotConfigured, stripe.StripeError.
    """
    client = stripe_client()
    seen = client.v1.invoices.retrieve(invoice_id)
    with transaction.atomic():
        customer = _locked_customer(as_id(seen.customer))
        if customer is None:
            return False
        invoice = client.v1.invoices.retrieve(invoice_id)  # again, now that nobody else applies what they have read
        one_off = _followed(customer, invoice)
        asked = _asked_by(client, invoice, one_off)
        to_document = undocumented(client, [invoice])
        corrections = _corrections(client, invoice)
        mirror(invoice)  # and with it Stripe has been asked all, before the ledger is locked
        issue_documents(account_id=customer.account_id, invoices=to_document, at=at)
        issue_credit_notes(notes=corrections.to_note, at=at)
        _settle(customer, invoice_id, asked, at)
        if is_finalized(invoice):
            follow_payment(payment=read_payment(invoice, corrections.beside()), at=at)
        refresh_payments(account_id=customer.account_id, at=at)
        if one_off is not None and is_finalized(invoice):
            _follow_tries(one_off, invoice, at)
    return True


def _locked_customer(customer_id: str) -> StripeCustomer | None:
    customers = StripeCustomer.objects.select_for_update(of=("self",)).select_related("account")
    return customers.filter(customer_id=customer_id).first()


def _corrections(client: stripe.StripeClient, invoice: stripe.Invoice) -> _Corrections:
    if not (is_finalized(invoice) and is_of_subscription(invoice)):
        return _Corrections()
    has_documents = bool(noted_invoices([str(invoice.id)]))
    notes = read_credit_notes(client, invoice, has_documents=has_documents)
    return _Corrections(notes, unnoted(client, notes), read_refunded(client, invoice))


def _asked_by(client: stripe.StripeClient, invoice: stripe.Invoice, one_off: ArrearsInvoice | None) -> Decimal:
    """What a paid invoice that has settled nothing yet asked for of what is owed."""
    if invoice.status != "paid" or InvoiceSettlement.objects.filter(invoice_id=invoice.id).exists():
        return Decimal(0)
    total = from_minor_units(invoice.total, invoice.currency.upper())
    arrears = min(one_off.amount, total) if one_off is not None else Decimal(0)
    return metered_on(client, invoice) + arrears


def _followed(customer: StripeCustomer, invoice: stripe.Invoice) -> ArrearsInvoice | None:
    """The row of an invoice for arrears, once it says what became of it; none for any other."""
    try:
        mark = UUID(hex=noted(invoice, MARK))
    except ValueError:
        return None
    row = ArrearsInvoice.objects.filter(id=mark, account_id=customer.account_id).first()
    if row is None or row.invoice_id not in ("", invoice.id):
        return None
    row.state, row.invoice_id = _STATES[invoice.status or "draft"], str(invoice.id)
    row.save(update_fields=["state", "invoice_id"])
    return row


def _follow_tries(row: ArrearsInvoice, invoice: stripe.Invoice, at: datetime) -> None:
    """Let our own open invoices bear what became of the one that asks for them, unless there is another by now."""
    others = ArrearsInvoice.objects.filter(account_id=row.account_id, state__in=ArrearsInvoice.UNPAID)
    if others.exclude(id=row.id).exists():
        return
    payment = read_payment(invoice)
    follow_one_off(account_id=row.account_id, amount=row.amount, payment=payment, known=row.attempts, at=at)
    row.attempts = payment.attempts
    row.save(update_fields=["attempts"])


def _settle(customer: StripeCustomer, invoice_id: str, metered: Decimal, at: datetime) -> None:
    if metered <= 0:
        return
    settled = settle_receivable(
        credits_id=customer.account.credits_id,
        receivable_id=customer.account.receivable_id,
        amount=metered,
        idempotency_key=f"invoice:{invoice_id}",
        at=at,
        description="Usage paid by invoice",
    )
    InvoiceSettlement.objects.create(
        invoice_id=invoice_id, account=customer.account, metered=metered, settled=settled, settled_at=at
    )
