"""What the payment processor's invoices say, in plain values: the layer above reads them, this one issues from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from billing.core.periods import Period


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
    """A tax as the processor computed it; `percent` is None where it does not say."""

    name: str
    percent: Decimal | None
    country: str
    amount: Decimal


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


@dataclass(frozen=True, slots=True)
class ProcessorPayment:
    """Where the payment of an invoice stands; `status` is open, paid, void or uncollectible."""

    external_id: str
    status: str
    amount_paid: Decimal
    hosted_url: str
    attempts: int
    next_attempt_at: datetime | None
