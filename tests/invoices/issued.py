"""Documents issued by the service itself, with one line each: what lists and pages are tested on."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.core.periods import Period
from billing.invoices.drafting import Draft, account_of
from billing.invoices.models import Invoice, InvoiceLine, InvoicePayment
from billing.invoices.services.issue_credit_note import issue_credit_note
from billing.invoices.services.issue_document import issue_document
from billing.subscriptions.models import BillingAccount
from tenants.services.record_audit import SYSTEM
from tests.make import AT

MONTH = timedelta(days=31)
MODEL = {
    "provider": "openai",
    "model": "gpt-4o",
    "credential_source": "platform",
    "requests": 3,
    "input_tokens": 3000,
    "output_tokens": 600,
    "cached_input_tokens": 0,
    "cost": "9.004500000",
}


def issue(account: BillingAccount, amount: str = "9.00", *, at: datetime = AT, **draft: Any) -> Invoice:
    """An invoice of one line of model usage in the month before; open where something is due."""
    line = InvoiceLine(
        kind=InvoiceLine.Kind.USAGE,
        description="Model usage",
        product="llm",
        unit="token",
        funding="invoice",
        period_start=at - MONTH,
        period_end=at,
        requests=3,
        quantity=Decimal(3600),
        rated=Decimal(amount),
        amount=Decimal(amount),
        details=[MODEL],
    )
    facts: dict[str, Any] = {"reason": Invoice.Reason.CYCLE, "period": Period(at - MONTH, at), "lines": [line]} | draft
    return issue_document(Draft(account=account_of(account.id), **facts), at=at)


def credit(invoice: Invoice, amount: str = "2.00", *, note: str = "Agreed by letter", at: datetime = AT) -> Invoice:
    """A credit note on it."""
    return issue_credit_note(invoice_id=invoice.id, amount=Decimal(amount), note=note, actor=SYSTEM, at=at)


def pay(invoice: Invoice, *, at: datetime = AT) -> None:
    """Its payment as it is once it has arrived."""
    InvoicePayment.objects.filter(invoice=invoice).update(
        status="paid", amount_paid=invoice.amount_due, paid_at=at, updated_at=at
    )
