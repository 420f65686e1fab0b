from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from billing.core.money import round_to_minor, spell_amount
from billing.core.periods import Period
from billing.credits.models import Grant, LedgerAccount, Transfer
from billing.credits.services.grant_credits import grant_credits
from billing.credits.services.open_ledger_account import platform_account
from billing.credits.services.post_transfer import post_transfer
from billing.invoices.drafting import Draft, account_of
from billing.invoices.errors import NotCreditable
from billing.invoices.models import Invoice, InvoiceLine, InvoicePayment
from billing.invoices.queries import remaining_of
from billing.invoices.services.correct_usage import creditable_of
from billing.invoices.services.issue_document import issue_document
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.services.lock_ledgers import lock_ledgers
from tenants.services.record_audit import Actor, record_audit

_ZERO = Decimal(0)


@transaction.atomic
def issue_credit_note(*, invoice_id: UUID, amount: Decimal, note: str, actor: Actor, at: datetime) -> Invoice:
    """Take an amount, taxes included, off an issued invoice, in its currency (I1).

    Where the invoice is open and no invoice of the processor asks for it, what is owed goes down; the rest comes back
    as credits. All credit notes of an invoice together never exceed it, also when two are issued at once. Raises
    NotCreditable, Invoice.DoesNotExist.
    """
    invoice = Invoice.objects.select_related("payment").get(id=invoice_id, kind=Invoice.Kind.INVOICE)
    account = account_of(invoice.account_id)
    lock_ledgers([account.id])
    _check(invoice, amount)
    document_id = uuid7()
    off_debt = _off_debt(invoice, account, amount, document_id, at)
    if amount > off_debt:
        grant_credits(
            account_id=account.credits_id,
            amount=amount - off_debt,
            source=Grant.Source.ADJUSTMENT,
            idempotency_key=f"credit-note:{document_id}",
            at=at,
            description=f"Credit note on {invoice.number}",
            given_back=True,
            reason=Transfer.Reason.ADJUSTMENT,
        )
    document = issue_document(_draft(account, invoice, amount, off_debt, note), at=at, document_id=document_id)
    record_audit(
        tenant_id=account.tenant_id,
        actor=actor,
        action="credit_note.issued",
        target=document.number,
        at=at,
        detail={"invoice": invoice.number, "amount": f"{amount:f}", "currency": invoice.currency, "note": note},
    )
    return document


def _check(invoice: Invoice, amount: Decimal) -> None:
    left = creditable_of(invoice)
    if amount <= 0 or round_to_minor(amount, invoice.currency) != amount:
        raise NotCreditable(f"A credit note is for an amount above zero in whole minor units of {invoice.currency}.")
    if amount > left:
        raise NotCreditable(f"{spell_amount(left, invoice.currency)} of {invoice.number} can still be credited.")


def _off_debt(invoice: Invoice, account: BillingAccount, amount: Decimal, document_id: UUID, at: datetime) -> Decimal:
    """Take off what is owed, as far as it is for this invoice; answers how much."""
    if invoice.external_id or invoice.payment.status != InvoicePayment.Status.OPEN:
        return _ZERO
    receivable = LedgerAccount.objects.select_for_update(no_key=True).get(id=account.receivable_id)
    owed = round_to_minor(max(-receivable.balance, _ZERO), invoice.currency)
    off = min(amount, remaining_of(invoice.id), owed)
    if off > 0:
        post_transfer(
            debit_account=platform_account(LedgerAccount.Kind.REVENUE, invoice.currency),
            credit_account=receivable.id,
            amount=min(off, -receivable.balance),
            reason=Transfer.Reason.ADJUSTMENT,
            idempotency_key=f"credit-note:{document_id}:owed",
            at=at,
            description=f"Credit note on {invoice.number}",
        )
    return off


def _draft(account: BillingAccount, invoice: Invoice, amount: Decimal, off_debt: Decimal, note: str) -> Draft:
    taxes = [_credited_tax(tax, amount, invoice) for tax in invoice.taxes]
    tax = sum((Decimal(one["amount"]) for one in taxes), start=_ZERO)
    period = Period(invoice.period_start, invoice.period_end)
    line = InvoiceLine(
        kind=InvoiceLine.Kind.CREDIT,
        description=f"Credit on invoice {invoice.number}",
        period_start=period.start,
        period_end=period.end,
        rated=-amount - tax,
        amount=-amount - tax,
    )
    return Draft(
        account=account,
        kind=Invoice.Kind.CREDIT_NOTE,
        reason=Invoice.Reason.GOODWILL,
        period=period,
        lines=[line],
        taxes=taxes,
        columns={"corrects_id": invoice.id, "off_debt": off_debt, "as_credits": amount - off_debt, "note": note},
    )


def _credited_tax(tax: Mapping[str, Any], amount: Decimal, invoice: Invoice) -> dict[str, Any]:
    """A tax of the invoice as a note over a part of it has it; what it was computed on, where that is known."""
    shares = {name: _share(amount, Decimal(tax[name]), invoice) for name in ("amount", "taxable") if name in tax}
    return {**tax} | {name: f"{-share:f}" for name, share in shares.items()}


def _share(amount: Decimal, tax: Decimal, invoice: Invoice) -> Decimal:
    """The part of a tax, or of what it was computed on, that belongs to a part of the invoice."""
    return round_to_minor(amount * tax / invoice.total, invoice.currency)
