"""How the console writes figures: money, counts, sizes, moments. Pure functions; the template filters call them."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from billing.core.money import minor_exponent, round_to_minor
from billing.core.money_texts import MINUS, write_count, write_money

RATED_DIGITS = 9
WARN_PERCENT, OVER_PERCENT = 80, 100
_MILLION = 10**6


def format_money(amount: Decimal, currency: str) -> str:
    """Return `amount` rounded half up to the currency's minor unit, as in "$142.87".

    A nonzero amount below half a minor unit reads "<$0.01": what was charged never reads as nothing.
    Raises UnknownCurrency for a code that has no minor unit.
    """
    digits = minor_exponent(currency)
    rounded = round_to_minor(amount, currency)
    if amount and not rounded:
        smallest = write_money(Decimal(1).scaleb(-digits), currency, digits)
        return f"{MINUS if amount < 0 else ''}<{smallest}"
    return write_money(rounded, currency, digits)


def format_signed(amount: Decimal, currency: str) -> str:
    """Return a ledger amount with its direction and every digit that it has, as in "+$20.00" and "−$0.0004125".

    Movements are not rounded: they must add up to the balance. Zero has no sign.
    """
    return f"{'+' if amount > 0 else ''}{format_rate(amount, currency)}"


def format_rate(amount: Decimal, currency: str) -> str:
    """Return a unit's price with every digit that it has, as in "$0.25" and "$0.00005"."""
    digits = max(minor_exponent(currency), -int(amount.normalize().as_tuple().exponent))
    return write_money(amount, currency, digits)


def format_exact(amount: Decimal, currency: str) -> str:
    """Return `amount` at the nine decimals that usage is rated at (M11), as in "$0.000412500"."""
    return write_money(amount, currency, RATED_DIGITS)


def format_count(number: Decimal | int) -> str:
    """Return a count or a quantity with thousands separators and no idle zeros after the point."""
    return write_count(number)


def _scaled(value: Decimal, step: int, units: tuple[str, ...], places: Decimal) -> str:
    """Divide `value` by `step` until it rounds to less than that, and write it with its unit."""
    for unit in units:
        short = value.quantize(places, rounding=ROUND_HALF_UP)
        if abs(short) < step or unit == units[-1]:
            break
        value /= step
    return f"{format_count(short)}\N{NO-BREAK SPACE}{unit}"


def format_compact(number: int) -> str:
    """Return a count from a million up as in "1.28 M", a smaller one in full; the full count belongs beside it."""
    if abs(number) < _MILLION:
        return format_count(number)
    return _scaled(Decimal(number) / _MILLION, 1000, ("M", "B", "T"), Decimal("0.01"))


def format_bytes(size: int) -> str:
    """Return a size in steps of 1,024 with at most one decimal, as in "1.5 GB"."""
    return _scaled(Decimal(size), 1024, ("bytes", "KB", "MB", "GB", "TB", "PB"), Decimal("0.1"))


def format_moment(moment: datetime, zone: str) -> str:
    """Return an aware `moment` in the time zone named `zone`, as in "3 Nov 2026, 14:05 CET" or "…, 17:05 UTC+04".

    Many zones have no letters of their own, only what they are ahead of UTC.
    """
    local = moment.astimezone(ZoneInfo(zone))
    name = local.tzname() or ""
    return f"{local.day} {local:%b %Y, %H:%M} {'UTC' if name.startswith(('+', '-')) else ''}{name}"


def format_clock(moment: datetime, zone: str) -> str:
    """Return the time of day of an aware `moment` to the second in the time zone named `zone`, as in "14:05:09"."""
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M:%S}"


def format_ago(moment: datetime, at: datetime) -> str:
    """Return how long before `at` a moment was, in its largest unit: "just now", "12 s ago", "3 min ago", "2 h ago"."""
    seconds = int((at - moment).total_seconds())
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= (2 * size if unit in {"days", "min"} else size):
            return f"{format_count(seconds // size)} {unit} ago"
    return "just now"


def format_utc_day(moment: datetime) -> str:
    """Return the UTC day of an aware `moment`, as in "3 Nov 2026": billing periods begin and end in UTC (P5)."""
    day = moment.astimezone(UTC)
    return f"{day.day} {day:%b %Y}"


def meter_level(percent: Decimal | int) -> str:
    """Return "ok", "warn" from 80 % and "over" from 100 % of a limit: two of the steps of the burn alerts (M9)."""
    if percent >= OVER_PERCENT:
        return "over"
    return "warn" if percent >= WARN_PERCENT else "ok"
