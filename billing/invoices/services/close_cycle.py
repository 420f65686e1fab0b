from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.invoices.balances import carried_over, lacked_credits, untaken_credit_notes
from billing.invoices.charges import Charge, ChargeKey, unlisted_charges
from billing.invoices.cycles import awaited_until, grace, new_cycle, span_of, usage_until
from billing.invoices.drafting import Draft, Span, account_of, credit_line, funded, late_starts, usage_lines
from billing.invoices.models import BillingCycle, Invoice, InvoiceLine
from billing.invoices.reversals import with_uncredited
from billing.invoices.services.correct_usage import correct_usage
from billing.invoices.services.issue_document import issue_document
from billing.invoices.services.refresh_payments import refresh_payments
from billing.subscriptions.models import Agreement, BillingAccount
from billing.subscriptions.queries import governing_agreement
from billing.subscriptions.services.lock_ledgers import lock_ledgers
from billing.usage.periods import period_at

_LOOK_AGAIN = timedelta(hours=1)
_ZERO = Decimal(0)


@transaction.atomic
def close_cycle(*, cycle_id: UUID, at: datetime, waits: bool = True) -> bool:
    """Close a cycle that has ended, once: issue its invoice, or none where nothing is charged, and open the next (I1).
    Whether this call did it.

    Its usage is what no document lists yet of periods that began before the cycle's end. A cycle that the payment
    processor's renewal closes is waited for, a while at most, unless `waits` is false; then what the processor will
    ask for is listed and carried over. Whatever number of callers there is, the cycle's row lock lets one of them do
    it, and all of it is one transaction.
    """
    cycle = BillingCycle.objects.select_for_update().get(id=cycle_id)
    if cycle.state == BillingCycle.State.CLOSED:
        return False
    account = account_of(cycle.account_id)
    lock_ledgers([account.id])
    if _goes_on(cycle, account, at) or (waits and _is_awaited(cycle, at)):
        return False
    span = span_of(cycle, until=cycle.ends_at, at=at)
    lines = lines_of(account, span, corrected_charges(account, before=usage_until(cycle, span, at), at=at), at)
    draft = _draft(account, cycle, span, lines)
    if _is_worth_it(draft):
        issue_document(draft, at=at)
        refresh_payments(account_id=account.id, at=at)  # what it asks for may have been paid before
    finish_cycle(cycle, account, at)
    return True


def finish_cycle(cycle: BillingCycle, account: BillingAccount, at: datetime) -> None:
    """Mark a cycle as closed and open the one that follows it."""
    cycle.state, cycle.closed_at, cycle.tries, cycle.error = BillingCycle.State.CLOSED, at, 0, ""
    cycle.save()
    new_cycle(account, cycle.ends_at).save(force_insert=True)


def lines_of(account: BillingAccount, span: Span, charges: dict[ChargeKey, Charge], at: datetime) -> list[InvoiceLine]:
    """Usage lines of what is unlisted; usage of earlier periods names them."""
    late = late_starts(charges, span, account.currency)
    ends = {start: period_at(account_id=account.id, instant=start, at=at).end for start in late}
    return usage_lines(charges, span, account.currency, ends)


def corrected_charges(account: BillingAccount, *, before: datetime, at: datetime) -> dict[ChargeKey, Charge]:
    """What is unlisted once credit notes are issued for what was taken back; under the account's ledger lock."""
    uncredited = correct_usage(account=account, at=at)
    return with_uncredited(unlisted_charges(account.id, before=before), uncredited, before=before)


def refresh_end(cycle: BillingCycle, account: BillingAccount) -> None:
    """Read the cycle's end again: a change of plan may have moved it."""
    cycle.ends_at = new_cycle(account, cycle.starts_at).ends_at
    cycle.seen_version, cycle.due_at = account.version, cycle.ends_at + grace()


def _goes_on(cycle: BillingCycle, account: BillingAccount, at: datetime) -> bool:
    if cycle.seen_version != account.version:
        refresh_end(cycle, account)
        cycle.state = BillingCycle.State.OPEN
        cycle.save()
    return cycle.ends_at > at


def _is_awaited(cycle: BillingCycle, at: datetime) -> bool:
    """Whether the processor's invoice is still to come; the next look is in an hour."""
    until = awaited_until(cycle)
    if until is None or until <= at:
        return False
    cycle.state, cycle.due_at = BillingCycle.State.WAITING, min(at + _LOOK_AGAIN, until)
    cycle.save()
    return True


def _draft(account: BillingAccount, cycle: BillingCycle, span: Span, lines: list[InvoiceLine]) -> Draft:
    charged = funded(lines, "credits")
    agreement = governing_agreement(account.id)
    others = funded(lines, "invoice") if agreement is None else _ZERO
    paid = charged - lacked_credits(account, before=cycle.ends_at, listed=charged, others=others)
    if agreement is None:
        lines = [*lines, *_credits_of_notes(account, sum((line.amount for line in lines), start=_ZERO) - paid)]
    return Draft(
        account=account,
        reason=Invoice.Reason.CYCLE,
        period=span.period,
        lines=lines,
        credits_applied=paid,
        carried=_carried(account, agreement, lines, paid),
        columns={"cycle_id": cycle.id},
    )


def _credits_of_notes(account: BillingAccount, due: Decimal) -> Iterator[InvoiceLine]:
    """Usage that was taken back from what the processor was still to ask for, where it does not ask any more."""
    for note in untaken_credit_notes(account) if due > 0 else ():
        if note.off_debt <= due:
            due -= note.off_debt
            yield credit_line(note)


def _carried(account: BillingAccount, agreement: Agreement | None, lines: list[InvoiceLine], paid: Decimal) -> Decimal:
    """With a live subscription its processor asks for what it meters; without one all is asked for now."""
    if agreement is not None:
        return -funded(lines, "invoice", since=agreement.started_at)
    due = sum((line.amount for line in lines), start=_ZERO) - paid
    return max(carried_over(account), -due)


def _is_worth_it(draft: Draft) -> bool:
    """What comes to nothing is no document: amounts below a minor unit wait for the next one."""
    return any(line.amount for line in draft.lines) or draft.amount_due > 0
