"""Exact money: rated amounts with nine decimals, closed amounts in a currency's minor unit (M11).

An amount is a `Decimal` and never a float. Usage is rated at nine decimals; the one rounding to the
minor unit happens where an invoice line closes. Every rounding is half-up on the absolute value, so
that a correction of an amount is its exact mirror.
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation, Overflow
from fractions import Fraction
from types import MappingProxyType

NANO = Decimal("0.000000001")
MAX_AMOUNT = Decimal("999999999999.999999999")

# Sums and products of money in this context are exact or raise decimal.Inexact: never rounded in silence.
# The default context would round to 28 digits, which a large quantity at a fine rate can exceed.
EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, Overflow])

_HALF_UP = Context(prec=200, rounding=ROUND_HALF_UP, traps=[InvalidOperation, Overflow])
_ZERO = Decimal("0.000000000")
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,9})?")

# ISO 4217, list one as published on 2026-01-01. Precious metals, SDR and other units without a minor
# unit are left out on purpose: nothing can be charged in them.
_CODES_BY_EXPONENT: Mapping[int, str] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
        "CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD "
        "HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK "
        "MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD "
        "RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH "
        "USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
MINOR_EXPONENTS: Mapping[str, int] = MappingProxyType(
    {code: exponent for exponent, codes in _CODES_BY_EXPONENT.items() for code in codes.split()}
)
_QUANTA: Mapping[str, Decimal] = {code: Decimal(1).scaleb(-exponent) for code, exponent in MINOR_EXPONENTS.items()}


class UnknownCurrency(ValueError):
    """A currency code that is not an upper-case ISO 4217 code with a minor unit."""


def _quantize(x: Decimal, quantum: Decimal) -> Decimal:
    if not x.is_finite():
        raise ValueError(f"An amount is a finite number, not {x}.")
    rounded = _HALF_UP.quantize(x, quantum)
    return rounded or rounded.copy_abs()  # a rounded-away negative is zero, not "-0"


def round_rated(x: Decimal) -> Decimal:
    """Round to the nine decimals of a rated amount, half-up (away from zero for negatives).

    Raises ValueError if x is not finite. Currency-neutral.
    """
    return _quantize(x, NANO)


def round_fraction(x: Fraction) -> Decimal:
    """Round an exact quotient to nine decimals, half-up (away from zero for negatives).

    For shares, such as a proration, whose decimal expansion does not end: one rounding, not two.
    """
    nanos = abs(x) * 10**9
    magnitude = EXACT.scaleb(Decimal((2 * nanos.numerator + nanos.denominator) // (2 * nanos.denominator)), -9)
    return -magnitude if x < 0 and magnitude else magnitude


def minor_exponent(currency: str) -> int:
    """Decimals of the currency's minor unit by ISO 4217: USD 2, JPY 0, KWD 3.

    Raises UnknownCurrency for anything but an upper-case code that has a minor unit.
    """
    try:
        return MINOR_EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrency(f"{currency!r} is not an ISO 4217 currency code with a minor unit.") from None


def minor_unit(currency: str) -> Decimal:
    """The currency's smallest amount: 0.01 USD, 1 JPY, 0.001 KWD. Raises UnknownCurrency."""
    minor_exponent(currency)
    return _QUANTA[currency]


def round_to_minor(x: Decimal, currency: str) -> Decimal:
    """Round to the currency's minor unit, half-up, away from zero for negatives.

    Done once, where an invoice line closes (M11). Raises UnknownCurrency, and ValueError if x is not finite.
    """
    return _quantize(x, minor_unit(currency))


def to_minor_units(x: Decimal, currency: str) -> int:
    """Give the amount as a whole number of minor units: 12.34 USD is 1234.

    Raises ValueError if x is not exact in minor units (round it first, knowingly), and UnknownCurrency.
    """
    rounded = round_to_minor(x, currency)
    if rounded != x:
        raise ValueError(f"{x} is not a whole number of minor units of {currency}.")
    return int(rounded.scaleb(minor_exponent(currency), EXACT))


def from_minor_units(n: int, currency: str) -> Decimal:
    """Give n minor units as an amount with the currency's decimals: 1234 in USD is 12.34.

    Raises UnknownCurrency.
    """
    return EXACT.scaleb(Decimal(n), -minor_exponent(currency))


def format_amount(x: Decimal) -> str:
    """Write the amount in plain notation with exactly nine decimals ("12.345678900"), never "-0".

    More than nine decimals are rounded as by `round_rated`. Raises ValueError if x is not finite.
    """
    return f"{round_rated(x):f}"


def spell_amount(x: Decimal, currency: str) -> str:
    """Write the amount for a person: "1,234.50 USD", its currency's decimals at least and no idle zeros beyond them.

    Raises UnknownCurrency, and ValueError if x is not finite.
    """
    return f"{_trimmed(f'{round_rated(x):,f}', minor_exponent(currency))} {currency}"


def write_amount(x: Decimal, currency: str) -> str:
    """Write the amount for a program: "1234.50", "0.00775", its currency's decimals at least and no idle zeros beyond.

    Raises UnknownCurrency, and ValueError if x is not finite.
    """
    return _trimmed(format_amount(x), minor_exponent(currency))


def _trimmed(written: str, least: int) -> str:
    whole, _, fraction = written.partition(".")
    fraction = fraction.rstrip("0").ljust(least, "0")
    return f"{whole}.{fraction}" if fraction else whole


def parse_amount(text: str) -> Decimal:
    """Read an amount from outside: a plain decimal, at most nine decimals, |x| <= MAX_AMOUNT.

    Signs other than a leading minus, exponents, separators, spaces, leading zeros and non-ASCII digits are
    refused. Raises ValueError with a message that says what is accepted.
    """
    if not isinstance(text, str) or _PLAIN.fullmatch(text) is None:
        raise ValueError(
            'An amount is a string with a plain decimal number such as "12.5": at most twelve digits before '
            "the point and nine after it, without exponent, spaces or separators."
        )
    amount = Decimal(text)
    return amount or _ZERO
