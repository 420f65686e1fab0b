"""Filters and components of the console's templates: `{% load console %}`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from billing.console import feature_texts, figures
from billing.invoices.documents import formats

register = template.Library()


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """Write `amount` to the currency's minor unit."""
    return figures.format_money(amount, currency)


@register.filter
def signed(amount: Decimal, currency: str) -> str:
    """Write a ledger amount with its direction."""
    return figures.format_signed(amount, currency)


@register.filter
def exact(amount: Decimal, currency: str) -> str:
    """Write `amount` with the nine decimals that it was rated at."""
    return figures.format_exact(amount, currency)


@register.filter
def rate(price: Decimal, currency: str) -> str:
    """Write a unit's price with every digit that it has."""
    return figures.format_rate(price, currency)


@register.filter
def count(number: Decimal | int) -> str:
    """Write a count with thousands separators."""
    return figures.format_count(number)


@register.filter
def compact(number: int) -> str:
    """Write a large count short; the full count belongs beside it or in a title."""
    return figures.format_compact(number)


@register.filter
def product_name(product: str) -> str:
    """Name a metered product as customers do."""
    return feature_texts.product_name(product)


@register.filter
def units(quantity: Decimal, unit: str) -> str:
    """Write a quantity with its unit, as in "1 minute" and "12.5 minutes"."""
    return f"{figures.format_count(quantity)} {feature_texts.unit_name(unit)}{'' if quantity == 1 else 's'}"


@register.filter(name="bytes")
def size(number: int) -> str:
    """Write a number of bytes as a size."""
    return figures.format_bytes(number)


@register.filter
def when(moment: datetime, zone: str) -> str:
    """Write an aware moment in the time zone named `zone` (the tenant's)."""
    return figures.format_moment(moment, zone)


@register.filter
def clock(moment: datetime, zone: str) -> str:
    """Write the time of day of an aware moment, to the second."""
    return figures.format_clock(moment, zone)


@register.filter
def ago(moment: datetime, at: datetime) -> str:
    """Write how long before `at` an aware moment was."""
    return figures.format_ago(moment, at)


@register.filter
def utc_day(moment: datetime) -> str:
    """Write the UTC day of a period's edge."""
    return figures.format_utc_day(moment)


@register.filter
def span(start: datetime, end: datetime) -> str:
    """Write the UTC days of a period from its first to its last, as documents do."""
    return formats.span(start, end)


@register.filter
def level(percent: Decimal | int) -> str:
    """Name how close to a limit `percent` is: ok, warn, over."""
    return figures.meter_level(percent)


class DailyRow(Protocol):
    """A day of usage as the chart shows it: `day` in UTC, `cost` in the account's currency.

    `own_key_cost` is the part of `cost` that is not billed (U7).
    """

    day: date
    cost: Decimal
    own_key_cost: Decimal
    requests: int


@dataclass(frozen=True, slots=True)
class ChartRow:
    """A day of the chart, what is billed told from what ran on own keys."""

    day: date
    requests: int
    billed: Decimal
    own: Decimal


@register.inclusion_tag("components/chart.html")
def daily_chart(chart_id: str, title: str, rows: Sequence[DailyRow], currency: str) -> dict[str, object]:
    """Draw the cost of each day, with the same numbers as a table below it."""
    days = [ChartRow(row.day, row.requests, row.cost - row.own_key_cost, row.own_key_cost) for row in rows]
    return {
        "id": chart_id,
        "title": title,
        "rows": days,
        "currency": currency,
        "has_own": any(row.own for row in days),
        "chart": {
            "currency": currency,
            "days": [row.day.isoformat() for row in days],
            "cost": [str(row.billed) for row in days],
            "own": [str(row.own) for row in days],
            "requests": [row.requests for row in days],
        },
    }


@register.simple_block_tag
def panel(
    content: str, *, title: str, note: str = "", link: str = "", link_text: str = "", flush: bool = False
) -> SafeString:
    """Frame a block as a titled card; `flush` lets a table reach the card's edges."""
    values = {"content": content, "title": title, "note": note, "link": link, "link_text": link_text, "flush": flush}
    return render_to_string("components/panel.html", values)


@register.simple_block_tag
def datatable(content: str, *, label: str, frame_id: str = "") -> SafeString:
    """Frame table rows so that a narrow screen scrolls the table, by keyboard too, and not the page.

    A frame with an id keeps the focus when htmx swaps it.
    """
    return render_to_string("components/datatable.html", {"content": content, "label": label, "id": frame_id})
