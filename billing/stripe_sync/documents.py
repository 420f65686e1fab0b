"""Which of Stripe's invoices have a document of ours (I1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import stripe
import structlog

from billing.invoices.models import Invoice
from billing.invoices.processor import ProcessorInvoice
from billing.stripe_sync.errors import told
from billing.stripe_sync.processor_invoice import is_finalized, is_of_subscription, read_processor_invoice

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """A document of one of Stripe's invoices: where its payment stands by what we have read.

    `refunded` went back of it; `voided_notes` had been taken off by credit notes that were voided since.
    """

    id: UUID
    number: str
    status: str
    attempts: int
    refunded: Decimal
    voided_notes: Decimal


def documents_of(invoice_ids: Iterable[str]) -> dict[str, KnownDocument]:
    """The documents of Stripe's invoices, by Stripe's id; one query."""
    found = Invoice.objects.filter(external_id__in=list(invoice_ids), kind=Invoice.Kind.INVOICE)
    found = found.exclude(external_id="")
    payment = [f"payment__{name}" for name in ("status", "attempts", "refunded", "voided_notes")]
    return {key: KnownDocument(*row) for key, *row in found.values_list("external_id", "id", "number", *payment)}


def undocumented(client: stripe.StripeClient, invoices: Iterable[stripe.Invoice]) -> list[ProcessorInvoice]:
    """Finalized invoices of subscriptions that have none yet, read with all that is on them, oldest first.

    One that cannot be read is logged and left out: it must not stop what else its payment means. Raises
    stripe.StripeError.
    """
    due = [one for one in invoices if is_finalized(one) and is_of_subscription(one)]
    known = documents_of(str(one.id) for one in due) if due else {}
    found = []
    for invoice in sorted(due, key=lambda one: one.created):
        if invoice.id in known:
            continue
        try:
            found.append(read_processor_invoice(client, invoice))
        except (ValueError, ArithmeticError, LookupError) as error:
            _log.warning("invoice_not_readable", invoice=invoice.id, error=told(error))
    return found
