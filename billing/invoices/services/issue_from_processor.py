from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.core.money import round_to_minor
from billing.core.periods import Period
from billing.invoices.balances import lacked_credits, untaken_credit_notes
from billing.invoices.cycles import span_of, usage_until
from billing.invoices.drafting import Draft, account_of, credit_line, funded
from billing.invoices.errors import DocumentDisagrees
from billing.invoices.models import BillingCycle, Invoice, InvoiceLine
from billing.invoices.processor import ProcessorInvoice, ProcessorLine, ProcessorLineKind, require_sums, written_tax
from billing.invoices.queries import running_cycle
from billing.invoices.services.close_cycle import (
    close_cycle,
    corrected_charges,
    finish_cycle,
    lines_of,
    refresh_end,
)
from billing.invoices.services.issue_document import issue_document
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.services.lock_ledgers import lock_ledgers

_ZERO = Decimal(0)
_EARLY = timedelta(hours=1)  # the processor's clock and its periods may be this much ahead of ours
_OVERDUE = timedelta(hours=12)
_INSTANT = timedelta(seconds=1)
_KINDS = {
    ProcessorLineKind.PLAN: InvoiceLine.Kind.SUBSCRIPTION,
    ProcessorLineKind.PRORATION: InvoiceLine.Kind.PRORATION,
    ProcessorLineKind.OTHER: InvoiceLine.Kind.OTHER,
}


@transaction.atomic
def issue_from_processor(*, account_id: UUID, invoice: ProcessorInvoice, at: datetime) -> Invoice | None:
    """Issue the document of a finalized invoice of the processor's, once for ever; the known one again (I1, S7).

    Its plan's lines are taken over. Where it meters usage, what no document lists yet stands there in our own lines,
    by product and model, and what both come to differently is carried over: so the document is complete, and what is
    due is the processor's total to the cent. A renewal closes the cycle that has ended. None for one that comes to
    nothing. Raises DocumentDisagrees where its lines and taxes are not its total, or in
    another currency than the account.
    """
    account = account_of(account_id)
    known = Invoice.objects.filter(external_id=invoice.external_id).first()
    if known is not None:
        return known
    _check(account, invoice)
    cycle = _closed_by(account, invoice, at) if invoice.renews else None
    lock_ledgers([account.id])
    known = Invoice.objects.filter(external_id=invoice.external_id).first()
    if known is not None:
        return known
    draft = _draft(account, invoice, cycle, at)
    if not any(line.amount for line in draft.lines) and not invoice.total:
        document = None
    else:
        document = issue_document(draft, at=at)
    if cycle is not None:
        finish_cycle(cycle, account, at)
    return document


def _check(account: BillingAccount, invoice: ProcessorInvoice) -> None:
    if invoice.currency != account.currency:
        raise DocumentDisagrees(f"{invoice.external_id} is in {invoice.currency}, its account in {account.currency}.")
    require_sums(invoice)


def _closed_by(account: BillingAccount, invoice: ProcessorInvoice, at: datetime) -> BillingCycle | None:
    """The cycle that a renewal closes, locked; cycles before it that nobody closed are closed by themselves."""
    while True:
        open_cycles = BillingCycle.objects.select_for_update().filter(account_id=account.id)
        cycle = open_cycles.exclude(state=BillingCycle.State.CLOSED).first()
        if cycle is None:
            return None
        refresh_end(cycle, account)
        if cycle.ends_at > min(at, invoice.created_at + _EARLY):
            return None
        if cycle.ends_at > invoice.created_at - _OVERDUE:
            return cycle
        close_cycle(cycle_id=cycle.id, at=at, waits=False)


def _draft(account: BillingAccount, invoice: ProcessorInvoice, cycle: BillingCycle | None, at: datetime) -> Draft:
    metered = [line for line in invoice.lines if line.kind == ProcessorLineKind.METERED]
    lines = [_line(line) for line in invoice.lines if line.kind != ProcessorLineKind.METERED]
    paid = carried = _ZERO
    if metered or cycle is not None:
        usage = _usage(account, cycle, invoice, at)
        credit = [credit_line(note) for note in untaken_credit_notes(account)]
        charged = funded(usage, "credits")
        paid = charged - lacked_credits(account, before=cycle.ends_at if cycle else at, listed=charged)
        asked = sum((line.amount for line in metered), start=_ZERO)
        carried = asked - sum((line.amount for line in [*usage, *credit]), start=_ZERO) + paid
        lines += [*usage, *credit]
    return Draft(
        account=account,
        reason=Invoice.Reason.CYCLE if invoice.renews else Invoice.Reason.SUBSCRIPTION,
        period=Period(cycle.starts_at, cycle.ends_at) if cycle else invoice.period,
        lines=lines,
        taxes=[written_tax(tax, round_to_minor(tax.amount, account.currency), tax.taxable) for tax in invoice.taxes],
        credits_applied=paid,
        carried=carried,
        columns={
            "cycle_id": cycle.id if cycle else None,
            "external_id": invoice.external_id,
            "external_number": invoice.number,
        },
    )


def _usage(
    account: BillingAccount, cycle: BillingCycle | None, invoice: ProcessorInvoice, at: datetime
) -> list[InvoiceLine]:
    """What is unlisted; where the processor's clock is ahead of ours, what it metered by now, and the cycle goes on."""
    running = cycle or running_cycle(account.id)
    if running is None:
        return []
    until = cycle.ends_at if cycle else max(at, running.starts_at + _INSTANT)
    span = span_of(running, until=until, at=at)
    before = usage_until(cycle, span, at) if cycle else until
    lines = lines_of(account, span, corrected_charges(account, before=before, at=at), at)
    return lines if cycle else [line for line in lines if line.funding == "invoice"]


def _line(line: ProcessorLine) -> InvoiceLine:
    return InvoiceLine(
        kind=_KINDS[line.kind],
        description=line.description[:300],
        period_start=line.period.start,
        period_end=line.period.end,
        quantity=line.quantity,
        rated=line.amount,
        amount=line.amount,
        external_id=line.external_id,
    )
