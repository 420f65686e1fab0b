"""Shares of an amount: the platform's fee on a purchase of credits (M4), a creator's part of a sale (M10)."""

from decimal import Decimal
from fractions import Fraction

from billing.core.money import minor_exponent

CREATOR_PART = Fraction(80, 100)
_FINEST = 2  # decimals that cards and payouts take: in a currency with three, the third is always zero


def payable_decimals(currency: str) -> int:
    """How many decimals an amount that is paid by card or paid out may have: USD 2, JPY 0, KWD 2.

    Raises UnknownCurrency.
    """
    return min(minor_exponent(currency), _FINEST)


def purchase_fee(amount: Decimal, *, percent: Decimal, currency: str) -> Decimal:
    """The fee on top of `amount`: so many percent of it, rounded once, half-up, to what can be paid in the currency.

    Raises UnknownCurrency, and ValueError for an amount or percentage that is negative or endless.
    """
    return _share(amount, _checked(percent) / 100, currency)


def creator_share(amount: Decimal, currency: str) -> Decimal:
    """What a creator gets of a sale: 80 %, rounded half-up; the platform keeps the rest, so that both add up.

    Raises as `purchase_fee`.
    """
    return _share(amount, CREATOR_PART, currency)


def refunded_part(part: Decimal, *, refunded: Decimal, total: Decimal, currency: str) -> Decimal:
    """How much of `part` of a payment of `total` a refund of `refunded` gives back, rounded half-up.

    All of it where all was refunded, and never more. Raises as `purchase_fee`, and for a refund beyond the total.
    """
    if total <= 0 or refunded > total:
        raise ValueError(f"{refunded} of {total} cannot be refunded.")
    return _share(part, _checked(refunded) / Fraction(total), currency)


def _share(amount: Decimal, factor: Fraction, currency: str) -> Decimal:
    decimals = payable_decimals(currency)
    units = _checked(amount) * factor * 10**decimals
    return Decimal((2 * units.numerator + units.denominator) // (2 * units.denominator)).scaleb(-decimals)


def _checked(number: Decimal) -> Fraction:
    if not number.is_finite() or number < 0:
        raise ValueError(f"{number} is no amount or percentage.")
    return Fraction(number)
