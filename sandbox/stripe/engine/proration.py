"""Prorations: what is given back for the old items and taken for the new ones, exact to the second (P10).

Each line is rounded half-up by itself, as Stripe does it. An update and its preview both come here.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sandbox.stripe.engine.amounts import exact_amount, rounded
from sandbox.stripe.values import Json


@dataclass(frozen=True, slots=True)
class Holding:
    """A licensed subscription item within its current period (seconds, UTC)."""

    item: str
    price: Json
    quantity: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Proration:
    """One line: `amount` in minor units, negative for a credit; for the time from `start` to `end`."""

    holding: Holding
    amount: int
    start: int
    end: int
    is_credit: bool


def remaining(holding: Holding, at: int) -> Fraction:
    """Give the share of the period that is still to come, 0 to 1."""
    if at <= holding.start:
        return Fraction(1)
    return Fraction(max(0, holding.end - at), holding.end - holding.start)


def remaining_amount(holding: Holding, at: int) -> int:
    """Give what the rest of the period costs, rounded half-up to minor units."""
    whole = Fraction(exact_amount(holding.price, Decimal(holding.quantity)))
    return rounded(whole * remaining(holding, at))


def prorate(old: list[Holding], new: list[Holding], at: int) -> list[Proration]:
    """Credit the unused time of what goes and charge the remaining time of what comes; equal holdings stay out."""
    gone = [holding for holding in old if holding not in new]
    come = [holding for holding in new if holding not in old]
    credits_ = [Proration(holding, -remaining_amount(holding, at), at, holding.end, True) for holding in gone]
    charges = [Proration(holding, remaining_amount(holding, at), at, holding.end, False) for holding in come]
    return [line for line in credits_ + charges if line.start < line.end]
