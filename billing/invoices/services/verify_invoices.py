from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from billing.core.periods import Period
from billing.invoices.models import Invoice
from billing.invoices.proof.cycles import cycle_findings, payment_findings
from billing.invoices.proof.documents import document_findings
from billing.invoices.proof.ledger import credit_findings, debt_findings, ledger_findings, usage_findings
from billing.invoices.proof.witnesses import credit_note_findings, told_findings
from billing.subscriptions.models import BillingAccount


def verify_invoices(*, account_id: UUID | None = None, period: Period | None = None) -> list[str]:
    """Everything of invoices that does not agree, a sentence each; an empty list is the proof (I1, M11).

    Of one account or all: seals and their chain, numbers without gaps, lines and sums; usage events against the lines
    that list them; events against what the ledger charged, to nine decimals; credits applied, credit notes, payments
    and what is owed against the ledger; cycles without gaps; that every document which was told of is there. With a
    period only documents on it are spoken of; money is compared since ever, for it is one sum.
    """
    accounts = BillingAccount.objects.select_related("tenant").order_by("id")
    chosen = accounts if account_id is None else accounts.filter(id=account_id)
    findings = [finding for account in chosen.iterator() for finding in _findings(account, period)]
    return [*findings, *told_findings(set(chosen.values_list("tenant_id", flat=True)))]


def verify_document(document: Invoice) -> list[str]:
    """The same of one document: its seal, its place in the chain, its sums."""
    found = document_findings(document.account_id)
    return [finding for other, finding in found if other.id == document.id]


def _findings(account: BillingAccount, period: Period | None) -> Iterator[str]:
    for document, finding in document_findings(account.id):
        if period is None or _overlaps(period, document.period_start, document.period_end):
            yield finding
    yield from ledger_findings(account)
    yield from usage_findings(account)
    yield from credit_findings(account)
    yield from debt_findings(account)
    yield from credit_note_findings(account)
    yield from cycle_findings(account)
    yield from payment_findings(account)


def _overlaps(period: Period, start: datetime, end: datetime) -> bool:
    return start < period.end and end > period.start
