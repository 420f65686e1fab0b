from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from billing.invoices.models import InvoicePayment
from billing.invoices.news import invoice_news
from billing.invoices.processor import ProcessorPayment
from billing.invoices.queries import asked_by_one_off
from billing.notifications.event_types import EventType
from billing.notifications.queries import written_time
from billing.notifications.services.publish_events import Fact, publish_events
from billing.subscriptions.services.lock_ledgers import lock_ledgers

_OPEN = InvoicePayment.Status.OPEN


@transaction.atomic
def follow_one_off(*, account_id: UUID, amount: Decimal, payment: ProcessorPayment, known: int, at: datetime) -> None:
    """Let our own open invoices bear how the processor's one-off invoice over `amount` that asks for them stands (S7).

    The page to pay it on, and each try that failed, told once (N1): `known` of them were before. Once it is paid, void
    or written off there is no such page. Call it when payments are refreshed, one reading after the other.
    """
    lock_ledgers([account_id])
    asked = asked_by_one_off(account_id, amount) if payment.status == _OPEN else []
    ids = {document.invoice.id for document in asked}
    rows = InvoicePayment.objects.select_for_update(of=("self",)).select_related("invoice__account")
    ours = rows.filter(Q(status=_OPEN) | ~Q(hosted_url=""), invoice__account_id=account_id, invoice__external_id="")
    facts: list[Fact] = []
    for row in ours.order_by("invoice__position"):
        is_asked = row.invoice_id in ids
        tries = max(payment.attempts - known, 0) if is_asked else 0
        stand = (
            payment.hosted_url if is_asked else "",
            payment.next_attempt_at if is_asked else None,
            row.attempts + tries,
        )
        if stand != (row.hosted_url, row.next_attempt_at, row.attempts):
            row.hosted_url, row.next_attempt_at, row.attempts = stand
            row.updated_at = at
            row.save(update_fields=["hosted_url", "next_attempt_at", "attempts", "updated_at"])
        facts += [_failed(row, row.attempts - later, at) for later in reversed(range(tries))]
    publish_events(facts, at=at)


def _failed(row: InvoicePayment, attempt: int, at: datetime) -> Fact:
    again = written_time(row.next_attempt_at) if row.next_attempt_at is not None else None
    said = {"attempt": attempt, "next_attempt_at": again}
    return invoice_news(row.invoice, row.invoice.account, EventType.INVOICE_FAILED, at=at, key=str(attempt), more=said)
