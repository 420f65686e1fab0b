from base64 import b32encode
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from billing.invoices.drafting import Draft
from billing.invoices.models import Invoice, InvoiceLine, InvoicePayment
from billing.invoices.models.invoice import NO_HASH
from billing.invoices.parties import customer_facts, seller_facts
from billing.invoices.sealing import seal_of
from billing.invoices.services.tell_of_document import tell_of_document
from billing.subscriptions.services.lock_ledgers import lock_ledgers
from billing.usage.services.mark_document import mark_document

_PREFIXES = {Invoice.Kind.INVOICE: "INV", Invoice.Kind.CREDIT_NOTE: "CN"}


@transaction.atomic
def issue_document(draft: Draft, *, at: datetime, document_id: UUID | None = None) -> Invoice:
    """Number a document, seal it, and tell the tenant, in one transaction (I1).

    Under the account's ledger lock, so that its numbers have no gaps and each document names the one before it.
    """
    lock_ledgers([draft.account.id])
    document = _numbered(draft, document_id or uuid7(), at)
    lines = list(draft.lines)
    for place, line in enumerate(lines, start=1):
        line.invoice_id, line.account_id, line.place = document.id, draft.account.id, place
    document.content_hash = seal_of(document, lines)
    InvoiceLine.objects.bulk_create(lines)  # before their document, which takes no more of them
    document.save(force_insert=True)
    mark_document(account_id=draft.account.id, position=document.position)
    if document.kind == Invoice.Kind.INVOICE:
        _open_payment(document, at)
    tell_of_document(document, draft.account, at=at)
    return document


def _numbered(draft: Draft, document_id: UUID, at: datetime) -> Invoice:
    known = Invoice.objects.filter(account_id=draft.account.id)
    last = known.order_by("-position").only("position", "content_hash").first()
    sequence = 1 + (known.filter(kind=draft.kind).order_by("-sequence").values_list("sequence", flat=True).first() or 0)
    return Invoice(
        id=document_id,
        account=draft.account,
        kind=draft.kind,
        reason=draft.reason,
        position=1 if last is None else last.position + 1,
        sequence=sequence,
        number=f"{_PREFIXES[draft.kind]}-{number_prefix(draft.account.id)}-{sequence:04}",
        currency=draft.account.currency,
        period_start=draft.period.start,
        period_end=draft.period.end,
        issued_at=at,
        subtotal=draft.subtotal,
        tax=draft.tax,
        taxes=list(draft.taxes),
        total=draft.total,
        credits_applied=draft.credits_applied,
        carried=draft.carried,
        amount_due=draft.amount_due,
        seller=seller_facts(),
        customer=customer_facts(draft.account),
        previous_hash=NO_HASH if last is None else last.content_hash,
        **draft.columns,
    )


def number_prefix(account_id: UUID) -> str:
    """Eight letters and digits that tell an account's numbers from others'."""
    return b32encode(sha256(account_id.bytes).digest())[:8].decode()


def _open_payment(document: Invoice, at: datetime) -> None:
    is_due = document.amount_due > 0
    InvoicePayment.objects.create(
        invoice=document,
        status=InvoicePayment.Status.OPEN if is_due else InvoicePayment.Status.PAID,
        paid_at=None if is_due else at,
        updated_at=at,
    )
