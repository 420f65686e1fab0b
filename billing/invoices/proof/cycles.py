"""Whether cycles tile an account's time, and payments fit their invoices."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from django.db.models import Sum

from billing.core.money import minor_unit
from billing.invoices.balances import paid_in
from billing.invoices.models import BillingCycle, Invoice, InvoicePayment
from billing.subscriptions.models import BillingAccount


def cycle_findings(account: BillingAccount) -> Iterator[str]:
    """Cycles that leave a gap, overlap or are missing, and documents on other dates than their cycle's; two queries."""
    cycles = list(BillingCycle.objects.filter(account_id=account.id).order_by("starts_at"))
    for before, after in pairwise(cycles):
        if before.ends_at != after.starts_at:
            yield f"{account}: a cycle ends on {before.ends_at}, the next one begins on {after.starts_at}."
        if before.state != BillingCycle.State.CLOSED:
            yield f"{account}: the cycle from {before.starts_at} on is not closed, and another one follows."
    if cycles and cycles[-1].state == BillingCycle.State.CLOSED:
        yield f"{account}: no cycle follows the one that was closed last."
    spans = {cycle.id: (cycle.starts_at, cycle.ends_at) for cycle in cycles}
    for document in Invoice.objects.filter(account_id=account.id, cycle__isnull=False).order_by("position"):
        own = spans.get(document.cycle_id) if document.cycle_id is not None else None
        if own != (document.period_start, document.period_end):
            yield f"{document.number}: its cycle has other dates, or is not there."


def payment_findings(account: BillingAccount) -> Iterator[str]:
    """Invoices without a payment status, paid beyond what they ask for, or paid by money that the ledger has not."""
    invoices = Invoice.objects.filter(account_id=account.id, kind=Invoice.Kind.INVOICE)
    for number in invoices.filter(payment__isnull=True).values_list("number", flat=True):
        yield f"{number}: nothing says whether it is paid."
    unit = minor_unit(account.currency)
    payments = InvoicePayment.objects.filter(invoice__account_id=account.id).select_related("invoice")
    for payment in payments:
        if payment.amount_paid > max(payment.invoice.amount_due, Decimal(0)):
            yield f"{payment.invoice.number}: {payment.amount_paid} is paid of {payment.invoice.amount_due}."
    own = payments.filter(invoice__external_id="")
    paid = own.aggregate(sum=Sum("amount_paid"))["sum"] or Decimal(0)
    there = paid_in(account)
    if paid > there + unit * own.count():
        yield f"{account}: invoices say that {paid} {account.currency} was paid, the ledger has {there}."
