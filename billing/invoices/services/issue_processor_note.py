from datetime import datetime

from django.db import transaction

from billing.core.money import spell_amount
from billing.core.periods import Period
from billing.invoices.drafting import Draft, account_of
from billing.invoices.errors import DocumentDisagrees, NotCreditable
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.processor import ProcessorNote, ProcessorNoteLine, require_sums, written_tax
from billing.invoices.services.correct_usage import creditable_of
from billing.invoices.services.issue_document import issue_document
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.services.lock_ledgers import lock_ledgers


@transaction.atomic
def issue_processor_note(*, note: ProcessorNote, at: datetime) -> Invoice | None:
    """Issue the document of a credit note that was made at the processor, once for ever; the known one again (I1).

    It moves no money here and gives no credits: the processor has moved what there was to move. None where its invoice
    has no document. Raises DocumentDisagrees where its lines and taxes are not its total, or in another currency than
    the account; NotCreditable where all credit notes together would come to more than the invoice.
    """
    invoice = Invoice.objects.filter(external_id=note.invoice_id, kind=Invoice.Kind.INVOICE).first()
    if invoice is None:
        return None
    account = account_of(invoice.account_id)
    lock_ledgers([account.id])
    known = Invoice.objects.filter(external_id=note.external_id).first()
    if known is not None:
        return known
    _check(invoice, note)
    return issue_document(_draft(account, invoice, note), at=at)


def _check(invoice: Invoice, note: ProcessorNote) -> None:
    if note.currency != invoice.currency:
        raise DocumentDisagrees(f"{note.external_id} is in {note.currency}, its invoice in {invoice.currency}.")
    require_sums(note)
    left = creditable_of(invoice)
    if note.total > left:
        raise NotCreditable(f"{spell_amount(left, invoice.currency)} of {invoice.number} can still be credited.")


def _draft(account: BillingAccount, invoice: Invoice, note: ProcessorNote) -> Draft:
    period = Period(invoice.period_start, invoice.period_end)
    return Draft(
        account=account,
        kind=Invoice.Kind.CREDIT_NOTE,
        reason=Invoice.Reason.PROCESSOR,
        period=period,
        lines=[_line(line, period) for line in note.lines],
        taxes=[written_tax(tax, -tax.amount, None if tax.taxable is None else -tax.taxable) for tax in note.taxes],
        columns={
            "corrects_id": invoice.id,
            "off_debt": note.off_debt,
            "note": note.text,
            "external_id": note.external_id,
            "external_number": note.number,
        },
    )


def _line(line: ProcessorNoteLine, period: Period) -> InvoiceLine:
    return InvoiceLine(
        kind=InvoiceLine.Kind.CREDIT,
        description=line.description[:300],
        period_start=period.start,
        period_end=period.end,
        quantity=line.quantity,
        rated=-line.amount,
        amount=-line.amount,
        external_id=line.external_id,
    )
