"""Model price lists as JSON files: US dollars per million tokens, every amount a string (R1)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from billing.plans.data_table import DataFileError, Table, read_text
from billing.pricing.tokens import LongContext, TokenRates

SHIPPED_PRICE_LIST = Path(__file__).parent / "price_lists" / "models.json"
RATE_PLACES = 9  # what usage is rated at (M11)


class ModelTier(StrEnum):
    """What a model is for: quick simple skills, most skills, or hard reasoning and long answers (R2)."""

    FAST = "fast"
    STANDARD = "standard"
    HEAVY = "heavy"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model of one provider: `model` is the id that its API takes, `context_window` counts tokens."""

    provider: str
    model: str
    name: str
    tier: ModelTier
    context_window: int
    rates: TokenRates


@dataclass(frozen=True, slots=True)
class PriceList:
    """Models with the prices that were in force on `as_of`, and where they come from."""

    source: str
    source_version: str
    as_of: date
    currency: str
    models: tuple[ModelSpec, ...]


def shipped_price_list() -> PriceList:
    """The price list that comes with the product. Raises DataFileError."""
    return read_price_list(SHIPPED_PRICE_LIST)


def read_price_list(path: Path) -> PriceList:
    """A price list from a file. Raises DataFileError that names file, table and key."""
    return parse_price_list(read_text(path), source=path.name)


def parse_price_list(text: str, *, source: str) -> PriceList:
    """A price list from JSON text; `source` is the name that errors give. Raises DataFileError."""
    try:
        content = json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except ValueError as error:
        raise DataFileError(source, "", f"is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise DataFileError(source, "", "must be an object")
    root = Table(content, source=source)
    price_list = PriceList(
        source=root.text("source"),
        source_version=root.text("source_version"),
        as_of=_date(root, "as_of"),
        currency=root.text("currency"),
        models=tuple(_model(table) for table in root.tables("models")),
    )
    root.finish()
    _check(price_list, root)
    return price_list


def _model(table: Table) -> ModelSpec:
    provider, model = table.text("provider"), table.text("model")
    table.where = f"models[{provider}/{model}]"
    spec = ModelSpec(
        provider=provider,
        model=model,
        name=table.text("name"),
        tier=table.choice("tier", ModelTier),
        context_window=table.whole("context_window", minimum=1),
        rates=_token_rates(table),
    )
    table.finish()
    return spec


def _token_rates(table: Table) -> TokenRates:
    rates, steps = _rates(table), table.tables("long_context")
    bands = [(step.whole("above_input_tokens", minimum=1), _rates(step)) for step in steps]
    for step in steps:
        step.finish()
    try:
        long_context = tuple(LongContext(above, *band) for above, band in bands)
        return TokenRates(*rates, long_context)
    except ValueError as error:
        raise DataFileError(table.source, table.where, f"has rates that cannot be used: {error}") from error


def _rates(table: Table) -> tuple[Decimal, Decimal, Decimal | None]:
    """Rates for input, output and cached input; null where the provider has no rate of its own for cached input."""
    cached = "cached_input_per_million"
    return (
        table.decimal_text("input_per_million", places=RATE_PLACES),
        table.decimal_text("output_per_million", places=RATE_PLACES),
        None if table.value(cached) is None else table.decimal_text(cached, places=RATE_PLACES),
    )


def _check(price_list: PriceList, root: Table) -> None:
    if price_list.currency != "USD":
        raise root.error("currency", "must be USD")
    if not price_list.models:
        raise root.error("models", "is empty")
    seen: set[tuple[str, str]] = set()
    for spec in price_list.models:
        if (spec.provider, spec.model) in seen:
            raise root.error(f"models[{spec.provider}/{spec.model}]", "is given twice")
        seen.add((spec.provider, spec.model))


def _date(table: Table, key: str) -> date:
    try:
        return date.fromisoformat(table.text(key))
    except ValueError as error:
        raise table.error(key, "must be a date, as in 2026-01-31") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _no_twins(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key is given twice in one object")
    return content
