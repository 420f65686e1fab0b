"""Whether what was used, what the ledger charged and what documents say are one sum (M11, I1)."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Sum

from billing.core.money import minor_unit
from billing.invoices.balances import carried_over, unlisted_reversals
from billing.invoices.charges import owed_for_credits
from billing.invoices.cycles import span_of, usage_until
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.queries import asked_by_ours, to_be_paid
from billing.invoices.reversals import corrections_of
from billing.invoices.services.correct_usage import creditable_part
from billing.subscriptions.models import BillingAccount

_ZERO = Decimal(0)
_START = datetime(2000, 1, 1, tzinfo=UTC)
_LEDGER = """
    SELECT COALESCE((SELECT sum(cost) FROM billing_usage_usageevent
                      WHERE account_id = %(account)s AND funding IN ('credits', 'invoice')), 0),
           COALESCE((SELECT sum(CASE WHEN t.reason = 'usage' THEN t.amount ELSE -t.amount END)
                       FROM billing_credits_transfer AS t
                      WHERE (t.reason = 'usage' AND t.phase IN ('posted', 'post_pending')
                             AND t.debit_account_id IN (%(credits)s, %(receivable)s))
                         OR (t.reason = 'reversal' AND t.credit_account_id IN (%(credits)s, %(receivable)s))), 0)
"""
_OWED = """
    SELECT (SELECT debits_posted - credits_posted FROM billing_credits_ledgeraccount WHERE id = %(receivable)s),
           COALESCE((SELECT sum(cost) FROM billing_usage_usageevent
                      WHERE account_id = %(account)s AND funding IN ('credits', 'invoice')), 0)
         - COALESCE((SELECT sum(rated) FROM billing_invoices_invoiceline
                      WHERE account_id = %(account)s AND product <> ''), 0),
           COALESCE((SELECT sum(CASE WHEN debit_account_id = %(receivable)s THEN amount ELSE -amount END)
                       FROM billing_credits_transfer
                      WHERE reason = 'refund' AND %(receivable)s IN (debit_account_id, credit_account_id)), 0)
"""
_USED = """
    SELECT period_start, product, funding, sum(cost) FROM billing_usage_usageevent
     WHERE account_id = %(account)s AND period_start < %(before)s AND after_document < %(position)s
       AND funding IN ('credits', 'invoice')
     GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def ledger_findings(account: BillingAccount) -> Iterator[str]:
    """What the account's usage events came to and what the ledger moved for them, since ever, to nine decimals."""
    parameters = {"account": account.id, "credits": account.credits_id, "receivable": account.receivable_id}
    used, moved = _row(_LEDGER, parameters)
    if used != moved:
        yield f"{account}: usage events come to {used} {account.currency}, the ledger charged {moved}."


def usage_findings(account: BillingAccount) -> Iterator[str]:
    """Usage that was recorded before a cycle was closed and is on no document, or on more than one.

    Read from the events themselves, those that were there when the last document that closed a cycle was issued. Less
    than a minor unit waits for more; what was taken back and no credit note can say stays listed.
    """
    closing = Invoice.objects.filter(account_id=account.id, cycle__isnull=False).order_by("-position").first()
    if closing is None or closing.cycle is None:
        return
    listed = _listed(account, closing.position)
    uncredited = _uncredited(account, closing.position)
    unit = minor_unit(account.currency)
    before = usage_until(
        closing.cycle, span_of(closing.cycle, until=closing.period_end, at=closing.issued_at), closing.issued_at
    )
    about = {"account": account.id, "before": before, "position": closing.position}
    for start, product, funding, used in _rows(_USED, about):
        on_documents = listed.get((start, product, funding), _ZERO) - uncredited.get((start, product, funding), _ZERO)
        if abs(used - on_documents) >= unit:
            yield (
                f"{account}: {product} from {start:%Y-%m-%d} on ({funding}) came to {used} {account.currency} by "
                f"{closing.number}, documents list {on_documents}."
            )


def credit_findings(account: BillingAccount) -> Iterator[str]:
    """Documents that say more was paid from credits, or more is due for want of them, than the ledger does."""
    documents = Invoice.objects.filter(account_id=account.id, kind=Invoice.Kind.INVOICE)
    rounding = minor_unit(account.currency) * (1 + documents.count())
    lines = InvoiceLine.objects.filter(account_id=account.id, funding="credits")
    charged = lines.exclude(kind=InvoiceLine.Kind.CORRECTION).aggregate(sum=Sum("amount"))["sum"] or _ZERO
    paid = documents.aggregate(sum=Sum("credits_applied"))["sum"] or _ZERO
    captured = _captured(account) - sum(unlisted_reversals(account, as_credits=True).values(), start=_ZERO)
    owed = sum(owed_for_credits(account.receivable_id, before=_START), start=_ZERO)
    if paid > captured + rounding:
        yield f"{account}: documents say that credits paid {paid} {account.currency}, the ledger took {captured}."
    if charged - paid > owed + rounding:
        yield f"{account}: documents ask for {charged - paid} {account.currency} that credits lacked, {owed} was owed."


def debt_findings(account: BillingAccount) -> Iterator[str]:
    """What the account owes and no open document asks for, nor will: an invoice that is said to be paid and is not. And
    open invoices of ours that ask for more than is owed.

    Usage that no document lists yet, what is carried over and credits that were refunded after they were spent are
    owed as well. What was taken back and no credit note can say is listed all the same.
    """
    owed, unlisted, refunded = _row(_OWED, {"account": account.id, "receivable": account.receivable_id})
    invoices = Invoice.objects.filter(account_id=account.id, kind=Invoice.Kind.INVOICE).select_related("payment")
    theirs = invoices.exclude(external_id="").filter(payment__isnull=False).exclude(payment__status="paid")
    asked = sum((max(row.amount_due - row.payment.amount_paid, _ZERO) for row in theirs), to_be_paid(account.id).amount)
    unlisted += sum((correction.cost for correction in corrections_of(account.id)), start=_ZERO)
    waiting = max(unlisted, _ZERO) + max(carried_over(account), _ZERO) + max(refunded, _ZERO)
    # Each line was rounded once, and so was what the processor was told of each meter.
    rounding = minor_unit(account.currency) * (1 + InvoiceLine.objects.filter(account_id=account.id).count())
    if owed > asked + waiting + rounding:
        yield (
            f"{account}: {owed} {account.currency} is owed, documents ask for {asked}, "
            f"and {waiting} at most is left for the next."
        )
    ours = asked_by_ours(account.id)
    if ours > owed + rounding:
        yield f"{account}: open invoices ask for {ours} {account.currency}, {owed} is owed."


_CAPTURED = """
    SELECT l.debits_posted - COALESCE((SELECT sum(t.amount) FROM billing_credits_transfer AS t
                                        WHERE t.debit_account_id = l.id AND t.reason <> 'usage'), 0)
      FROM billing_credits_ledgeraccount AS l WHERE l.id = %(credits)s
"""


def _captured(account: BillingAccount) -> Decimal:
    """What usage took out of credits since ever."""
    (captured,) = _row(_CAPTURED, {"credits": account.credits_id})
    return Decimal(captured)


def _listed(account: BillingAccount, position: int) -> dict[tuple[Any, ...], Decimal]:
    """What the account's documents up to this one list, by period, product and who pays."""
    lines = InvoiceLine.objects.filter(account_id=account.id, invoice__position__lte=position).exclude(product="")
    sums = lines.order_by().values_list("period_start", "product", "funding").annotate(Sum("rated"))
    return {tuple(key): rated for *key, rated in sums}


def _uncredited(account: BillingAccount, position: int) -> dict[tuple[Any, ...], Decimal]:
    """What was taken back before this document and cannot be on a credit note; what can be should have been."""
    found: defaultdict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for correction in corrections_of(account.id):
        if correction.after_document < position and not creditable_part(correction):
            key = correction.key
            found[key.period_start, key.product, key.funding] += correction.cost
    return found


def _row(sql: str, parameters: dict[str, Any]) -> tuple[Any, ...]:
    return _rows(sql, parameters)[0]


def _rows(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
