from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from billing.invoices.models import InvoicePayment
from billing.invoices.news import invoice_news
from billing.invoices.processor import ProcessorPayment
from billing.notifications.event_types import EventType
from billing.notifications.queries import written_time
from billing.notifications.services.publish_events import Fact, publish_events

_Status = InvoicePayment.Status
_FOLLOWED = ("status", "amount_paid", "hosted_url", "attempts", "next_attempt_at")
_FOLLOWED_WHERE_KNOWN = ("refunded", "voided_notes")


@transaction.atomic
def follow_payment(*, payment: ProcessorPayment, at: datetime) -> bool:
    """Let an invoice's payment status be what the processor says; whether anything was new (I2, S7, N1).

    Each try that failed is told once, and that the invoice is paid. Nothing where no document was issued of it. Call it
    with what was just read, one reading after the other.
    """
    rows = InvoicePayment.objects.select_for_update(of=("self",)).select_related("invoice__account")
    row = rows.filter(invoice__external_id=payment.external_id).first()
    if row is None:
        return False
    known = [*_FOLLOWED, *(name for name in _FOLLOWED_WHERE_KNOWN if getattr(payment, name) is not None)]
    news = {name: getattr(payment, name) for name in known if getattr(row, name) != getattr(payment, name)}
    if not news:
        return False
    facts = list(_facts(row, payment, at))
    for name, value in news.items():
        setattr(row, name, value)
    row.paid_at = (row.paid_at or at) if row.status == _Status.PAID else None
    row.updated_at = at
    row.save()
    publish_events(facts, at=at)
    return True


def _facts(row: InvoicePayment, payment: ProcessorPayment, at: datetime) -> Iterator[Fact]:
    """What a reading adds to what is known. Once it is paid or voided, tries that failed before are past."""
    invoice = row.invoice
    if payment.status == _Status.PAID and row.status != _Status.PAID:
        yield invoice_news(invoice, invoice.account, EventType.INVOICE_PAID, at=at)
    if payment.status in (_Status.PAID, _Status.VOID):
        return
    for attempt in range(row.attempts + 1, payment.attempts + 1):
        again = written_time(payment.next_attempt_at) if payment.next_attempt_at is not None else None
        said = {"attempt": attempt, "next_attempt_at": again}
        yield invoice_news(invoice, invoice.account, EventType.INVOICE_FAILED, at=at, key=str(attempt), more=said)
