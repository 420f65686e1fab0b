"""Lines of documents before they are issued, in the order in which they are printed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing.core.money import round_to_minor
from billing.core.periods import Period
from billing.invoices.charges import CHARGED, Charge, ChargeKey
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.texts import adjustment_text, usage_text
from billing.subscriptions.models import BillingAccount

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Draft:
    """A document that `issue_document` can issue, its amounts in the account's currency and in whole minor units."""

    account: BillingAccount
    reason: Invoice.Reason
    period: Period
    lines: Sequence[InvoiceLine]
    kind: Invoice.Kind = Invoice.Kind.INVOICE
    taxes: Sequence[Mapping[str, Any]] = ()
    credits_applied: Decimal = _ZERO
    carried: Decimal = _ZERO
    columns: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subtotal(self) -> Decimal:
        return sum((line.amount for line in self.lines), start=_ZERO)

    @property
    def tax(self) -> Decimal:
        return sum((Decimal(tax["amount"]) for tax in self.taxes), start=_ZERO)

    @property
    def total(self) -> Decimal:
        return self.subtotal + self.tax

    @property
    def amount_due(self) -> Decimal:
        return self.total - self.credits_applied + self.carried if self.kind == Invoice.Kind.INVOICE else _ZERO


@dataclass(frozen=True, slots=True)
class Span:
    """The stretch of time that a document is about: `current` are the periods whose usage is no late usage."""

    period: Period
    current: datetime

    def is_current(self, period_start: datetime) -> bool:
        return period_start == self.current or period_start >= self.period.start


def usage_lines(
    charges: Mapping[ChargeKey, Charge], span: Span, currency: str, ends: Mapping[datetime, datetime]
) -> list[InvoiceLine]:
    """A line for each product, who pays and period that has something unlisted, rounded once (M11).

    What comes to nothing is listed with the cycle that it was used in alone. `ends` has the ends of periods whose usage
    came late. What was taken back is for a credit note, not for a line.
    """
    listed = ((key, charge) for key, charge in charges.items() if _is_listed(key, charge, span, currency))
    lines = [_usage_line(key, charge, span, currency, ends.get(key.period_start)) for key, charge in listed]
    return sorted(lines, key=_order)


def _is_listed(key: ChargeKey, charge: Charge, span: Span, currency: str) -> bool:
    if span.is_current(key.period_start):
        return charge.cost >= 0
    return key.funding in CHARGED and round_to_minor(charge.cost, currency) > 0


def _usage_line(key: ChargeKey, charge: Charge, span: Span, currency: str, end: datetime | None) -> InvoiceLine:
    rated = charge.cost if key.funding in CHARGED else _ZERO
    period = Period(key.period_start, end or span.period.end)
    kind = InvoiceLine.Kind.OVERAGE if key.product == "executions" else InvoiceLine.Kind.USAGE
    return InvoiceLine(
        kind=kind if end is None else InvoiceLine.Kind.ADJUSTMENT,
        description=usage_text(key.product, key.funding) if end is None else adjustment_text(key.product, period),
        product=key.product,
        unit=key.unit,
        funding=key.funding,
        period_start=period.start,
        period_end=period.end,
        requests=charge.requests,
        quantity=charge.quantity,
        rated=rated,
        amount=round_to_minor(rated, currency),
        details=charge.details(),
    )


def _order(line: InvoiceLine) -> tuple[Any, ...]:
    return (line.kind == InvoiceLine.Kind.ADJUSTMENT, line.funding not in CHARGED, -line.amount, line.product)


def credit_line(note: Invoice) -> InvoiceLine:
    """Of a credit note whose amount nobody asks for any more."""
    return InvoiceLine(
        kind=InvoiceLine.Kind.CREDIT,
        description=f"Credit note {note.number}",
        period_start=note.period_start,
        period_end=note.period_end,
        rated=-note.off_debt,
        amount=-note.off_debt,
        external_id=note.number,
    )


def funded(lines: Iterable[InvoiceLine], funding: str, *, since: datetime | None = None) -> Decimal:
    """What the usage lines of one kind of funding come to, of the periods that began at `since` or later."""
    chosen = (line for line in lines if line.funding == funding and (since is None or line.period_start >= since))
    return sum((line.amount for line in chosen), start=_ZERO)


def late_starts(charges: Mapping[ChargeKey, Charge], span: Span, currency: str) -> set[datetime]:
    """The periods of which usage came after they had been closed, enough of it to be listed."""
    listed = {key.period_start for key, charge in charges.items() if _is_listed(key, charge, span, currency)}
    return {start for start in listed if not span.is_current(start)}


def account_of(account_id: UUID) -> BillingAccount:
    """The account with its tenant, for what documents say of it."""
    return BillingAccount.objects.select_related("tenant").get(id=account_id)
