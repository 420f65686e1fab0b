"""A period's readings, added up the ways that console and API show them. Amounts are in the account's currency."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from billing.core.periods import Period, as_utc
from billing.usage.queries import DayReading, MeterReading, PlaceReading

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


def daily_of(readings: Sequence[DayReading], period: Period, at: datetime) -> list[DayReading]:
    """One row for each UTC day of the period up to `at`, also where nothing ran; none if nothing ran at all."""
    if not readings:
        return []
    by_day = {day: DayReading(day, Decimal(0), Decimal(0), 0) for day in _days(period, at)}
    by_day |= {reading.day: reading for reading in readings}
    return [reading for _, reading in sorted(by_day.items())]


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


def workspaces_of(readings: Iterable[MeterReading]) -> list[PlaceReading]:
    """One row for each workspace, the costliest first; no office and no agent named."""
    by_workspace = sorted(readings, key=lambda reading: reading.workspace_id)
    grouped = groupby(by_workspace, key=lambda reading: reading.workspace_id)
    return _costliest_first(_workspace_row(workspace_id, list(group)) for workspace_id, group in grouped)


def offices_of(places: Iterable[PlaceReading]) -> list[PlaceReading]:
    """One row for each office of a workspace, the costliest first; no agent named. One is of usage without office."""
    return _added_up(places, lambda place: (place.workspace_id, place.office, ""))


def agents_of(places: Iterable[PlaceReading]) -> list[PlaceReading]:
    """One row for each agent of an office of a workspace, the costliest first. One is of usage without either."""
    return _added_up(places, lambda place: (place.workspace_id, place.office, place.agent))


def _added_up(
    places: Iterable[PlaceReading], name: Callable[[PlaceReading], tuple[UUID, str, str]]
) -> list[PlaceReading]:
    grouped = groupby(sorted(places, key=name), key=name)
    return _costliest_first(_place_row(key, list(group)) for key, group in grouped)


def _costliest_first(rows: Iterable[PlaceReading]) -> list[PlaceReading]:
    return sorted(rows, key=lambda row: -row.cost)


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


def _workspace_row(workspace_id: UUID, readings: list[MeterReading]) -> PlaceReading:
    totals = totals_of(readings)
    return PlaceReading(
        workspace_id=workspace_id,
        office="",
        agent="",
        requests=totals.requests,
        input_tokens=totals.input_tokens,
        output_tokens=totals.output_tokens,
        cached_input_tokens=totals.cached_input_tokens,
        cost=totals.cost,
        own_key_cost=totals.own_key_cost,
    )


def _place_row(key: tuple[UUID, str, str], places: list[PlaceReading]) -> PlaceReading:
    workspace_id, office, agent = key
    return PlaceReading(
        workspace_id=workspace_id,
        office=office,
        agent=agent,
        requests=sum(place.requests for place in places),
        input_tokens=sum(place.input_tokens for place in places),
        output_tokens=sum(place.output_tokens for place in places),
        cached_input_tokens=sum(place.cached_input_tokens for place in places),
        cost=sum((place.cost for place in places), start=Decimal(0)),
        own_key_cost=sum((place.own_key_cost for place in places), start=Decimal(0)),
    )


def _days(period: Period, at: datetime) -> Iterator[date]:
    last = min(as_utc(at), period.end - timedelta(microseconds=1)).date()
    day = period.start.date()
    while day <= last:
        yield day
        day += timedelta(days=1)
