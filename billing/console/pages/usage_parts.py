"""What a period's readings add up to, by product, model or place: the parts that a usage page shows (U5, U7)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from billing.console.feature_texts import product_name, unit_name
from billing.console.figures import format_count
from billing.console.pages.usage_names import Names
from billing.usage.queries import MeterReading, PlaceReading
from billing.usage.sums import OWN_KEY, Totals, agents_of, models_of, offices_of, totals_of, workspaces_of

YOUR_KEY = "Your key"


@dataclass(frozen=True, slots=True)
class Part:
    """What a row of a view adds up. `cost` includes `own_key_cost`, which is not billed (U7).

    `is_named` is False for usage that named no such thing; `quantity` is in the product's unit, where there is one.
    """

    label: str
    detail: str
    requests: int
    tokens: int
    cost: Decimal
    own_key_cost: Decimal
    quantity: str = ""
    badge: str = ""
    is_named: bool = True

    @property
    def billed(self) -> Decimal:
        return self.cost - self.own_key_cost


def product_parts(readings: Sequence[MeterReading]) -> list[Part]:
    """One for each product."""
    parts = []
    for (product, unit), group in _grouped(readings, lambda one: (one.product, one.unit)):
        quantity = sum((one.quantity for one in group), start=Decimal(0))
        parts.append(_part(totals_of(group), product_name(product), product, quantity=_quantity(quantity, unit)))
    return parts


def model_parts(readings: Sequence[MeterReading]) -> list[Part]:
    """One for each model and kind of key, and one for what called no model, so that all views have the same total."""
    parts = [
        Part(
            label=row.model,
            detail=row.provider,
            requests=row.requests,
            tokens=row.input_tokens + row.output_tokens,
            cost=row.cost,
            own_key_cost=row.cost if row.credential_source == OWN_KEY else Decimal(0),
            badge=YOUR_KEY if row.credential_source == OWN_KEY else "",
        )
        for row in models_of(readings)
    ]
    others = [reading for reading in readings if not reading.model]
    if others:
        names = ", ".join(sorted({product_name(reading.product) for reading in others}))
        parts.append(_part(totals_of(others), "No model", names, is_named=False))
    return parts


def workspace_parts(readings: Sequence[MeterReading], names: Names) -> list[Part]:
    """One for each workspace."""
    return [
        _place(row, names.workspace(row.workspace_id), names.slug(row.workspace_id)) for row in workspaces_of(readings)
    ]


def office_parts(places: Sequence[PlaceReading], names: Names) -> list[Part]:
    """One for each office of a workspace, and one for what each workspace used without an office."""
    return [
        _place(
            row,
            names.office(row.workspace_id, row.office) or "No office",
            names.workspace(row.workspace_id),
            row.office,
        )
        for row in offices_of(places)
    ]


def agent_parts(places: Sequence[PlaceReading], names: Names) -> list[Part]:
    """One for each agent of an office, and one for what each office used without an agent."""
    return [
        _place(row, names.agent(row.agent) or "No agent", names.path(row.workspace_id, row.office), row.agent)
        for row in agents_of(places)
    ]


def meter_parts(readings: Sequence[MeterReading]) -> list[Part]:
    """One for each model and each other product: what a session is made of."""
    others = [reading for reading in readings if not reading.model]
    called = [part for part in model_parts(readings) if part.is_named]
    return by_cost([*called, *product_parts(others)])


def by_cost(parts: Iterable[Part]) -> list[Part]:
    """The costliest first, then by name."""
    return sorted(parts, key=lambda part: (-part.cost, part.label, part.detail))


def _part(totals: Totals, label: str, detail: str, *, quantity: str = "", is_named: bool = True) -> Part:
    return Part(
        label=label,
        detail=detail,
        requests=totals.requests,
        tokens=totals.input_tokens + totals.output_tokens,
        cost=totals.cost,
        own_key_cost=totals.own_key_cost,
        quantity=quantity,
        is_named=is_named,
    )


def _place(row: PlaceReading, label: str, detail: str, name: str | None = None) -> Part:
    return Part(
        label=label,
        detail=detail,
        requests=row.requests,
        tokens=row.input_tokens + row.output_tokens,
        cost=row.cost,
        own_key_cost=row.own_key_cost,
        is_named=name is None or bool(name),
    )


def _quantity(quantity: Decimal, unit: str) -> str:
    return f"{format_count(quantity)} {unit_name(unit)}{'' if quantity == 1 else 's'}"


def _grouped(
    readings: Iterable[MeterReading], key: Callable[[MeterReading], tuple[str, ...]]
) -> list[tuple[tuple[str, ...], list[MeterReading]]]:
    return [(name, list(group)) for name, group in groupby(sorted(readings, key=key), key=key)]
