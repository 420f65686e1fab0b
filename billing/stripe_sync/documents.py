"""Which of Stripe's invoices have a document of ours (I1)."""

from collections.abc import Iterable
from dataclasses import dataclass
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
    """A document of one of Stripe's invoices: where its payment stands by what we have read."""

    id: UUID
    number: str
    status: str
    attempts: int


def documents_of(invoice_ids: Iterable[str]) -> dict[str, KnownDocument]:
    """The documents of Stripe's invoices, by Stripe's id; one query."""
    found = Invoice.objects.filter(external_id__in=list(invoice_ids)).exclude(external_id="")
    rows = found.values_list("external_id", "id", "number", "payment__status", "payment__attempts")
    return {key: KnownDocument(id_, number, status, attempts) for key, id_, number, status, attempts in rows}


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
