from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction

from billing.invoices.processor import ProcessorInvoice, ProcessorNote
from billing.invoices.services.issue_from_processor import issue_from_processor
from billing.invoices.services.issue_processor_note import issue_processor_note
from billing.stripe_sync.errors import told

_log = structlog.get_logger(__name__)


def issue_documents(*, account_id: UUID, invoices: Iterable[ProcessorInvoice], at: datetime) -> None:
    """Issue the documents of Stripe's invoices, each once for ever (I1). Call it under the customer's lock.

    One that does not add up is logged: its payment counts all the same, the drift report names it, and the hourly
    comparison tries it again (S5).
    """
    for invoice in invoices:
        try:
            with transaction.atomic():
                issue_from_processor(account_id=account_id, invoice=invoice, at=at)
        except (ValueError, ArithmeticError, LookupError, DatabaseError) as error:
            _log.warning("invoice_without_document", invoice=invoice.external_id, error=told(error))


def issue_credit_notes(*, notes: Iterable[ProcessorNote], at: datetime) -> None:
    """Issue the documents of Stripe's credit notes, each once for ever, after those of their invoices (I1).

    One that cannot be is logged, as where all notes would come to more than the invoice: the drift report names it.
    """
    for note in notes:
        try:
            with transaction.atomic():
                issue_processor_note(note=note, at=at)
        except (ValueError, ArithmeticError, LookupError, DatabaseError) as error:
            _log.warning("credit_note_without_document", credit_note=note.external_id, error=told(error))
