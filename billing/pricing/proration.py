"""Proration of recurring amounts by time, exact to the microsecond (P10, K11)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from billing.core.money import EXACT, round_fraction
from billing.core.periods import Period


@dataclass(frozen=True, slots=True)
class ProrationPreview:
    """What a change of plan, seats or variant costs now, in the amounts' currency with nine decimals.

    `credit` is given back for the old amount, `charge` taken for the new one; `net` is charge less credit and
    negative where the account gets money back.
    """

    credit: Decimal
    charge: Decimal
    net: Decimal


def prorate(amount: Decimal, period: Period, at: datetime) -> Decimal:
    """Give the share of the amount for the rest of the period, rounded once to nine decimals, half-up.

    The whole amount up to the period's start, nothing from its end. The used share is the amount less this one,
    never rounded by itself, so that both add up. Raises ValueError for a naive time or an endless amount.
    """
    if not amount.is_finite():
        raise ValueError(f"An amount is a finite number, not {amount}.")
    return round_fraction(Fraction(amount) * (1 - period.fraction_elapsed(at)))


def preview_change(*, old_amount: Decimal, new_amount: Decimal, period: Period, at: datetime) -> ProrationPreview:
    """Show what it costs to replace the old recurring amount by the new one within the period.

    Both amounts are for the whole period and in one currency. Raises ValueError as `prorate` does.
    """
    credit = prorate(old_amount, period, at)
    charge = prorate(new_amount, period, at)
    return ProrationPreview(credit=credit, charge=charge, net=EXACT.subtract(charge, credit))
