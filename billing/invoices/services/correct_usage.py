from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db.models import Sum

from billing.core.money import round_to_minor
from billing.core.periods import Period
from billing.credits.models import Transfer
from billing.invoices.charges import Charge, ChargeKey
from billing.invoices.drafting import Draft
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.services.issue_document import issue_document
from billing.invoices.texts import correction_text
from billing.subscriptions.models import BillingAccount
from billing.usage.models import UsageEvent
from billing.usage.periods import period_at

_ZERO = Decimal(0)


class _Correction(NamedTuple):
    """Usage of an invoice's line that was taken back, in whole minor units and rated."""

    invoice: Invoice
    key: ChargeKey
    charge: Charge
    amount: Decimal


def correct_usage(*, account: BillingAccount, charges: Mapping[ChargeKey, Charge], at: datetime) -> list[Invoice]:
    """Issue credit notes for usage that was taken back after an invoice had listed it (I1, U3).

    It is what has a negative cost among the unlisted `charges`, which were read under the account's ledger lock; they
    are to be read again after a note was issued. The money came back when the usage was taken back: off what was owed,
    the rest as credits. The note says so, and moves none. Less than half a minor unit waits for more.
    """
    taken_back = {key: charge for key, charge in charges.items() if charge.cost < 0}
    notes = []
    for key, charge in taken_back.items():
        correction = _correction(account, key, charge)
        if correction is not None:
            notes.append(issue_document(_draft(account, correction, at), at=at))
    return notes


def _correction(account: BillingAccount, key: ChargeKey, charge: Charge) -> _Correction | None:
    """Against the newest invoice that listed it and has something left to be credited."""
    amount = round_to_minor(-charge.cost, account.currency)
    listed = InvoiceLine.objects.filter(
        account_id=account.id, period_start=key.period_start, product=key.product, funding=key.funding, rated__gt=0
    )
    for invoice in Invoice.objects.filter(id__in=listed.values("invoice_id")).order_by("-position"):
        creditable = min(amount, creditable_of(invoice))
        if creditable > 0:
            return _Correction(invoice, key, charge, creditable)
    return None


def creditable_of(invoice: Invoice) -> Decimal:
    """What credit notes may still take off an invoice, taxes included, in its currency."""
    noted = Invoice.objects.filter(corrects_id=invoice.id).aggregate(sum=Sum("total"))["sum"] or _ZERO
    return invoice.total + noted


def _draft(account: BillingAccount, correction: _Correction, at: datetime) -> Draft:
    invoice, key, charge, amount = correction
    period = Period(key.period_start, period_at(account_id=account.id, instant=key.period_start, at=at).end)
    as_credits = min(_given_as_credits(account, key), amount)
    line = InvoiceLine(
        kind=InvoiceLine.Kind.CORRECTION,
        description=correction_text(key.product, period),
        product=key.product,
        unit=key.unit,
        funding=key.funding,
        period_start=period.start,
        period_end=period.end,
        requests=charge.requests,
        quantity=charge.quantity,
        rated=charge.cost,
        amount=-amount,
        details=charge.details(),
    )
    return Draft(
        account=account,
        kind=Invoice.Kind.CREDIT_NOTE,
        reason=Invoice.Reason.CORRECTION,
        period=period,
        lines=[line],
        columns={
            "corrects_id": invoice.id,
            "off_debt": amount - as_credits,
            "as_credits": as_credits,
            "note": f"Usage on invoice {invoice.number} was taken back.",
        },
    )


def _given_as_credits(account: BillingAccount, key: ChargeKey) -> Decimal:
    """What reversals of the period's product gave back as credits and no credit note says yet."""
    reversals = UsageEvent.objects.filter(
        account_id=account.id,
        period_start=key.period_start,
        product=key.product,
        funding=key.funding,
        reverses_id__isnull=False,
    )
    keys = _grant_keys(account, reversals.values_list("reverses_id", flat=True))
    given = Transfer.objects.filter(idempotency_key__in=keys).aggregate(sum=Sum("amount"))["sum"] or _ZERO
    told = Invoice.objects.filter(
        kind=Invoice.Kind.CREDIT_NOTE,
        reason=Invoice.Reason.CORRECTION,
        account_id=account.id,
        lines__period_start=key.period_start,
        lines__product=key.product,
        lines__funding=key.funding,
    ).aggregate(sum=Sum("as_credits"))["sum"]
    return max(round_to_minor(given, account.currency) - (told or _ZERO), _ZERO)


def _grant_keys(account: BillingAccount, events: Iterable[UUID | None]) -> list[str]:
    return [f"grant:{account.credits_id}:reversal:{event}" for event in events]
