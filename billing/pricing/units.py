"""Rating of everything that is counted in units: minutes, bytes, requests, callbacks (U1, M11).

A price has tiers over what was used in the period. Included units come off first and cost nothing; tiers count
the units after them. A tier's flat fee falls due with its first unit.

- graduated: each unit costs what its own tier says.
- volume: all units cost what the tier of the period's total says.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

from billing.core.money import EXACT, round_rated

Mode = Literal["graduated", "volume"]

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to and including `up_to` (None: no end), in the currency's main unit per unit."""

    up_to: Decimal | None
    unit_price: Decimal
    flat_fee: Decimal = _ZERO

    def __post_init__(self) -> None:
        _check_not_negative(self.unit_price, self.flat_fee)
        if self.up_to is not None and not (self.up_to.is_finite() and self.up_to > 0):
            raise ValueError("A tier ends above zero.")


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """Tiers that ascend, the last of them open-ended. Raises ValueError otherwise, and for negative prices."""

    tiers: tuple[Tier, ...]
    mode: Mode
    included: Decimal = _ZERO

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise ValueError("The mode of a unit price is graduated or volume.")
        _check_not_negative(self.included)
        *bounded, last = [tier.up_to for tier in self.tiers] or [_ZERO]
        if last is not None:
            raise ValueError("The last tier is open-ended.")
        floor = _ZERO
        for up_to in bounded:
            if up_to is None or up_to <= floor:
                raise ValueError("Tiers ascend, and only the last is open-ended.")
            floor = up_to


def rate_units(price: UnitPrice, quantity: Decimal, *, already_used: Decimal = _ZERO) -> Decimal:
    """Rate `quantity` units after `already_used` units of the same period, rounded to nine decimals.

    It is what the period's cost grows by; see `exact_unit_cost`. Under volume pricing it is negative where the
    quantity takes the whole period into a cheaper tier. Raises ValueError for negative or endless quantities.
    """
    return round_rated(exact_unit_cost(price, quantity, already_used=already_used))


def exact_unit_cost(price: UnitPrice, quantity: Decimal, *, already_used: Decimal = _ZERO) -> Decimal:
    """Give the unrounded cost: pieces rated one after the other add up to the whole rated at once."""
    _check_not_negative(quantity, already_used)
    total = EXACT.add(already_used, quantity)
    return EXACT.subtract(_period_cost(price, total), _period_cost(price, already_used))


def _period_cost(price: UnitPrice, used: Decimal) -> Decimal:
    if used <= price.included:
        return _ZERO
    units = EXACT.subtract(used, price.included)
    return _graduated(price.tiers, units) if price.mode == "graduated" else _volume(price.tiers, units)


def _graduated(tiers: Iterable[Tier], units: Decimal) -> Decimal:
    cost = floor = _ZERO
    for tier in tiers:
        top = units if tier.up_to is None else min(units, tier.up_to)
        cost = EXACT.add(cost, _tier_cost(tier, EXACT.subtract(top, floor)))
        if top == units:
            break
        floor = top
    return cost


def _volume(tiers: Iterable[Tier], units: Decimal) -> Decimal:
    tier = next(tier for tier in tiers if tier.up_to is None or units <= tier.up_to)
    return _tier_cost(tier, units)


def _tier_cost(tier: Tier, units: Decimal) -> Decimal:
    return EXACT.fma(tier.unit_price, units, tier.flat_fee)


def _check_not_negative(*numbers: Decimal) -> None:
    for number in numbers:
        if not (number.is_finite() and number >= 0):
            raise ValueError(f"A price or a quantity is a finite number from zero up, {number} is not.")
