"""What a change of a paid plan is asked for, costs and did: plain values, in the account's currency (P10, K11)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Target:
    """The terms that somebody wants to be on."""

    plan_slug: str
    interval: str
    variant: str
    seats: int = 1


@dataclass(frozen=True, slots=True)
class PricePoint:
    """What a plan costs: `amount` for an interval, for each seat where it is `per_seat`; `total` for all seats."""

    amount: Decimal
    per_seat: bool
    total: Decimal
    currency: str
    interval: str
    variant: str


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """What a change costs, as Stripe reckons it at `proration_at`.

    `credit` is given back for unused time of the old terms, `charge` taken for the new ones, neither is negative, both
    of this change alone. `pending` is what earlier changes left for the next invoice, negative where they were credits.
    `net` is charge less credit plus pending, with the `tax` of that: a positive one is charged at once, a negative one
    comes off the next invoice. From `next_at` on, `next_amount` is charged for every interval; usage and taxes come on
    top. `proration_at` is None where nothing is prorated, `next_at` where the change is made at once and for nothing.
    Hand `expected` back to make this very change.
    """

    credit: Decimal
    charge: Decimal
    pending: Decimal
    tax: Decimal
    net: Decimal
    currency: str
    price: PricePoint
    proration_at: datetime | None
    next_amount: Decimal
    next_at: datetime | None

    @property
    def expected(self) -> "Expected":
        return Expected(self.net, self.proration_at)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a preview showed: a change that would cost anything else is refused."""

    net: Decimal
    proration_at: datetime | None


@dataclass(frozen=True, slots=True)
class Toggled:
    """An account's switch of whose provider keys it runs on; `proration` is what the switch cost just now (K11)."""

    enabled: bool
    price: PricePoint
    proration: ChangePreview


@dataclass(frozen=True, slots=True)
class OpenedCheckout:
    """A page at Stripe to send somebody to; `id` is ours."""

    id: str
    url: str
