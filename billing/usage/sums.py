"""A period's readings, added up the ways that console and API show them. Amounts are in the account's currency."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from billing.core.periods import Period, as_utc
from billing.usage.queries import MeterReading

OWN_KEY = "byok"


@dataclass(frozen=True, slots=True)
class Totals:
    """Everything in the period. `own_key_cost` is the part of `cost` that ran on own keys and is not billed (U7)."""

    requests: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost: Decimal
    own_key_cost: Decimal


@dataclass(frozen=True, slots=True)
class DayRow:
    """A UTC day."""

    day: date
    cost: Decimal
    requests: int


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product, in its unit."""

    product: str
    unit: str
    quantity: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model of a provider, on one kind of key."""

    provider: str
    model: str
    credential_source: str
    requests: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost: Decimal


def totals_of(readings: Sequence[MeterReading]) -> Totals:
    """The sum of all readings, whatever the product."""
    return Totals(
        requests=sum(reading.requests for reading in readings),
        input_tokens=sum(reading.input_tokens for reading in readings),
        output_tokens=sum(reading.output_tokens for reading in readings),
        cached_input_tokens=sum(reading.cached_input_tokens for reading in readings),
        cost=_cost(readings),
        own_key_cost=_cost(reading for reading in readings if reading.credential_source == OWN_KEY),
    )


def daily_of(readings: Sequence[MeterReading], period: Period, at: datetime) -> list[DayRow]:
    """One row for each UTC day of the period up to `at`, also where nothing ran; none if nothing ran at all."""
    if not readings:
        return []
    by_day: dict[date, list[MeterReading]] = {day: [] for day in _days(period, at)}
    for reading in readings:
        by_day.setdefault(reading.day, []).append(reading)
    return [DayRow(day, _cost(of_day), sum(one.requests for one in of_day)) for day, of_day in sorted(by_day.items())]


def products_of(readings: Iterable[MeterReading]) -> list[ProductRow]:
    """One row for each product, by name."""
    ordered = sorted(readings, key=lambda reading: (reading.product, reading.unit))
    grouped = groupby(ordered, key=lambda reading: (reading.product, reading.unit))
    return [_product_row(product, unit, list(group)) for (product, unit), group in grouped]


def models_of(readings: Iterable[MeterReading]) -> list[ModelRow]:
    """One row for each model and kind of key, the costliest first."""
    called = [reading for reading in readings if reading.model]
    ordered = sorted(called, key=lambda reading: (reading.provider, reading.model, reading.credential_source))
    grouped = groupby(ordered, key=lambda reading: (reading.provider, reading.model, reading.credential_source))
    rows = [_model_row(*key, list(group)) for key, group in grouped]
    return sorted(rows, key=lambda row: row.cost, reverse=True)


def _cost(readings: Iterable[MeterReading]) -> Decimal:
    return sum((reading.cost for reading in readings), start=Decimal(0))


def _product_row(product: str, unit: str, readings: list[MeterReading]) -> ProductRow:
    return ProductRow(product, unit, sum((one.quantity for one in readings), start=Decimal(0)), _cost(readings))


def _model_row(provider: str, model: str, source: str, readings: list[MeterReading]) -> ModelRow:
    totals = totals_of(readings)
    return ModelRow(
        provider=provider,
        model=model,
        credential_source=source,
        requests=totals.requests,
        input_tokens=totals.input_tokens,
        output_tokens=totals.output_tokens,
        cached_input_tokens=totals.cached_input_tokens,
        cost=totals.cost,
    )


def _days(period: Period, at: datetime) -> Iterator[date]:
    last = min(as_utc(at), period.end - timedelta(microseconds=1)).date()
    day = period.start.date()
    while day <= last:
        yield day
        day += timedelta(days=1)
