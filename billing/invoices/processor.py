"""What the payment processor's invoices say, in plain values: the layer above reads them, this one issues from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from billing.core.periods import Period
from billing.invoices.errors import DocumentDisagrees


class ProcessorLineKind(StrEnum):
    """What a line of the processor's invoice is about."""

    PLAN = "plan"
    PRORATION = "proration"
    METERED = "metered"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ProcessorLine:
    """A line, its amount in the invoice's currency before taxes and after discounts.

    `product` is of a metered line alone.
    """

    external_id: str
    kind: ProcessorLineKind
    description: str
    quantity: Decimal
    amount: Decimal
    period: Period
    product: str = ""


@dataclass(frozen=True, slots=True)
class ProcessorTax:
    """A tax as the processor computed it, on `taxable`; that and `percent` are None where it does not say."""

    name: str
    percent: Decimal | None
    country: str
    amount: Decimal
    taxable: Decimal | None = None


def written_tax(tax: ProcessorTax, amount: Decimal, taxable: Decimal | None) -> dict[str, Any]:
    """A tax as documents keep it, with its amount there and what that was computed on, in whole minor units."""
    return {
        "name": tax.name,
        "percent": None if tax.percent is None else f"{tax.percent:f}",
        "country": tax.country,
        "amount": f"{amount:f}",
    } | ({} if taxable is None else {"taxable": f"{taxable:f}"})


@dataclass(frozen=True, slots=True)
class ProcessorInvoice:
    """A finalized invoice: lines and taxes come to `total`, in `currency`.

    `renews` is whether it is a subscription's renewal, which closes a cycle.
    """

    external_id: str
    number: str
    created_at: datetime
    currency: str
    renews: bool
    period: Period
    lines: Sequence[ProcessorLine]
    taxes: Sequence[ProcessorTax]
    total: Decimal


def require_sums(said: "ProcessorInvoice | ProcessorNote") -> None:
    """Raises DocumentDisagrees where lines and taxes are not the total."""
    lines = sum((line.amount for line in said.lines), start=Decimal(0))
    taxes = sum((tax.amount for tax in said.taxes), start=Decimal(0))
    if lines + taxes != said.total:
        raise DocumentDisagrees(
            f"The lines of {said.external_id} come to {lines}, its taxes to {taxes}, its total is {said.total}."
        )


@dataclass(frozen=True, slots=True)
class ProcessorPayment:
    """Where the payment of an invoice stands; `status` is open, paid, void or uncollectible.

    `refunded` is what went back of it, `voided_notes` what credit notes had taken off that were voided since; None
    where nobody has looked.
    """

    external_id: str
    status: str
    amount_paid: Decimal
    hosted_url: str
    attempts: int
    next_attempt_at: datetime | None
    refunded: Decimal | None = None
    voided_notes: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ProcessorNoteLine:
    """A line of a credit note, its amount before taxes and after discounts, positive."""

    external_id: str
    description: str
    quantity: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ProcessorNote:
    """A credit note that was made at the processor on its invoice `invoice_id`, amounts in `currency` and positive.

    Lines and taxes come to `total`. `off_debt` of it was taken off what was to be paid; the processor gave back the
    rest, as `text` says.
    """

    external_id: str
    number: str
    invoice_id: str
    currency: str
    lines: Sequence[ProcessorNoteLine]
    taxes: Sequence[ProcessorTax]
    total: Decimal
    off_debt: Decimal
    text: str
