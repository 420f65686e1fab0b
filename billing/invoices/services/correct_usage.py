from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Sum

from billing.core.ids import encode_id
from billing.core.money import round_to_minor
from billing.core.periods import Period
from billing.credits.models import Transfer
from billing.invoices.charges import Charge
from billing.invoices.drafting import Draft
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.reversals import Correction, corrections_of
from billing.invoices.services.issue_document import issue_document
from billing.invoices.texts import correction_text
from billing.subscriptions.models import BillingAccount
from billing.usage.models import UsageEvent
from billing.usage.periods import period_at

_ZERO = Decimal(0)


def correct_usage(*, account: BillingAccount, at: datetime) -> list[Correction]:
    """Issue credit notes for usage that was taken back after an invoice had listed it (I1, U3); answers what waits.

    One for each invoice, period and product. The money came back when the usage was taken back: off what was owed, the
    rest as credits. The note says so, and moves none. Call it under the account's ledger lock. What comes to less than
    half a minor unit, or is on an invoice that is credited as a whole, waits.
    """
    waiting = []
    for correction in corrections_of(account.id):
        draft = _draft(account, correction, at)
        if draft is None:
            waiting.append(correction)
        else:
            issue_document(draft, at=at)
    return waiting


def creditable_of(invoice: Invoice) -> Decimal:
    """What credit notes may still take off an invoice, taxes included, in its currency."""
    noted = Invoice.objects.filter(corrects_id=invoice.id).aggregate(sum=Sum("total"))["sum"] or _ZERO
    return invoice.total + noted


def creditable_part(correction: Correction) -> Decimal:
    """What a credit note would take off the invoice for it, in whole minor units; nothing where none is issued."""
    rounded = round_to_minor(correction.cost, correction.invoice.currency)
    return max(min(rounded, creditable_of(correction.invoice)), _ZERO)


def _draft(account: BillingAccount, correction: Correction, at: datetime) -> Draft | None:
    invoice, key, events, _ = correction
    amount = creditable_part(correction)
    if amount <= 0:
        return None
    period = Period(key.period_start, period_at(account_id=account.id, instant=key.period_start, at=at).end)
    given = _given_as_credits(account, [event.id for event in events])
    off_debt = min(max(round_to_minor(correction.cost - given, account.currency), _ZERO), amount)
    taken_back = _taken_back(events)
    line = InvoiceLine(
        kind=InvoiceLine.Kind.CORRECTION,
        description=correction_text(key.product, period),
        product=key.product,
        unit=key.unit,
        funding=key.funding,
        period_start=period.start,
        period_end=period.end,
        requests=taken_back.requests,
        quantity=taken_back.quantity,
        rated=taken_back.cost,
        amount=-amount,
        details=taken_back.details(),
        events=[encode_id("evt", event.id) for event in events],
    )
    return Draft(
        account=account,
        kind=Invoice.Kind.CREDIT_NOTE,
        reason=Invoice.Reason.CORRECTION,
        period=period,
        lines=[line],
        columns=_columns(invoice, amount, off_debt),
    )


def _columns(invoice: Invoice, amount: Decimal, off_debt: Decimal) -> dict[str, Any]:
    """What was taken off goes first: where the note says less than came back, the invoice asks for what is owed."""
    return {
        "corrects_id": invoice.id,
        "off_debt": off_debt,
        "as_credits": amount - off_debt,
        "note": f"Usage on invoice {invoice.number} was taken back.",
    }


def _taken_back(events: Sequence[UsageEvent]) -> Charge:
    """The figures of events, negative."""
    charge = Charge()
    for event in events:
        charge.take_back(event)
    return charge


def _given_as_credits(account: BillingAccount, events: Sequence[UUID]) -> Decimal:
    """What the reversals of these events gave back as credits."""
    keys = [f"grant:{account.credits_id}:reversal:{event}" for event in events]
    return Transfer.objects.filter(idempotency_key__in=keys).aggregate(sum=Sum("amount"))["sum"] or _ZERO
