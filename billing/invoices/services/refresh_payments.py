from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from billing.core.money import minor_unit
from billing.credits.models import LedgerAccount, Transfer
from billing.invoices.balances import paid_in
from billing.invoices.models import Invoice, InvoicePayment
from billing.invoices.news import invoice_news
from billing.notifications.event_types import EventType
from billing.notifications.services.publish_events import publish_events
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.services.lock_ledgers import lock_ledgers

_ZERO = Decimal(0)
_LOOK_BACK = timedelta(days=1)


@transaction.atomic
def refresh_payments(*, account_id: UUID, at: datetime) -> int:
    """Let payments of what the account owes pay its open invoices, oldest first; answers how many are paid now (I2).

    Not of invoices that the processor asks for by invoices of its own: it says itself what became of them, and their
    payments count for none here. One is paid where less than a minor unit is left of it, or where nothing is owed.
    """
    if not _open_rows(account_id).exists():
        return 0
    lock_ledgers([account_id])
    account = BillingAccount.objects.get(id=account_id)
    owed = -LedgerAccount.objects.get(id=account.receivable_id).balance
    unit = minor_unit(account.currency)
    rows = list(_open_rows(account_id).select_for_update(of=("self",)).order_by("invoice__position"))
    left = max(paid_in(account) - _spent(account_id), _ZERO)
    paid = []
    for row, need in zip(rows, _needs(rows), strict=True):
        amount = min(need, left)
        left -= amount
        if _note(row, amount, is_paid=owed <= 0 or need - amount < unit, at=at):
            paid.append(invoice_news(row.invoice, account, EventType.INVOICE_PAID, at=at))
    publish_events(paid, at=at)
    return len(paid)


def refresh_open_payments(*, at: datetime) -> int:
    """Do so for the accounts whose debt was paid or taken off since yesterday; answers how many invoices are paid now.

    Whoever pays does so at once; this finds what was missed, and invoices of usage that was paid before their issue.
    """
    since = at - _LOOK_BACK
    rows = InvoicePayment.objects.filter(status=InvoicePayment.Status.OPEN, invoice__external_id="")
    moved = Transfer.objects.filter(credit_account_id=OuterRef("invoice__account__receivable_id"), created_at__gt=since)
    chosen = rows.filter(Q(invoice__issued_at__gt=since) | Exists(moved))
    accounts = chosen.order_by("invoice__account_id").values_list("invoice__account_id", flat=True).distinct()
    return sum(refresh_payments(account_id=account_id, at=at) for account_id in list(accounts))


def _rows(account_id: UUID) -> QuerySet[InvoicePayment]:
    return InvoicePayment.objects.filter(invoice__account_id=account_id, invoice__external_id="")


def _open_rows(account_id: UUID) -> QuerySet[InvoicePayment]:
    return _rows(account_id).filter(status=InvoicePayment.Status.OPEN).select_related("invoice")


def _spent(account_id: UUID) -> Decimal:
    """What of it has paid invoices that are not open any more."""
    settled = _rows(account_id).exclude(status=InvoicePayment.Status.OPEN)
    return settled.aggregate(sum=Sum("amount_paid"))["sum"] or _ZERO


def _needs(rows: Sequence[InvoicePayment]) -> list[Decimal]:
    """What each asks for, less what credit notes took off."""
    notes = Invoice.objects.filter(corrects_id__in=[row.invoice_id for row in rows]).order_by()
    taken = dict(notes.values_list("corrects_id").annotate(sum=Sum("off_debt")))
    return [max(row.invoice.amount_due - taken.get(row.invoice_id, _ZERO), _ZERO) for row in rows]


def _note(row: InvoicePayment, amount: Decimal, *, is_paid: bool, at: datetime) -> bool:
    """Whether it is paid now."""
    if amount == row.amount_paid and not is_paid:
        return False
    row.amount_paid, row.updated_at = amount, at
    if is_paid:
        row.status, row.paid_at = InvoicePayment.Status.PAID, at
    row.save(update_fields=["amount_paid", "updated_at", "status", "paid_at"])
    return is_paid
