from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction

from billing.invoices.processor import ProcessorInvoice
from billing.invoices.services.issue_from_processor import issue_from_processor
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
