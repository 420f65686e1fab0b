"""Reading plans, models and prices, in few queries each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from billing.plans.models import ModelPrice, Plan, PlanPrice, PlanVersion
from billing.pricing.tokens import LongContext, TokenRates

ModelKey = tuple[str, str]
"""Provider, and the model's id in the provider's API."""

_REFRESH = timedelta(seconds=5)

# Prices are append-only, so that their number tells them apart; models are edited, so that their content has to.
_STAMP = """
    SELECT (SELECT count(*) FROM billing_plans_modelprice),
           (SELECT md5(string_agg(m::text, '' ORDER BY m.id)) FROM billing_plans_model AS m)
"""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model that is offered, with its price at some instant. Rates are US dollars per million tokens.

    `model` is the id that the provider's API takes, `title` is for people.
    """

    provider: str
    model: str
    title: str
    tier: str
    context_window: int | None
    rates: TokenRates
    price_id: UUID


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Every model price there is or will be, and the offer of one stretch of time. Immutable: threads may share it.

    `models` is what is offered from `valid_from` (None: ever since) until just before `valid_until` (None: open-ended).
    `history` has all models, unlisted ones too, each with (effective from, rates), newest first.
    """

    models: Mapping[ModelKey, ListedModel]
    history: Mapping[ModelKey, tuple[tuple[datetime, TokenRates], ...]]
    valid_from: datetime | None
    valid_until: datetime | None

    def rates(self, provider: str, model: str, occurred_at: datetime) -> TokenRates | None:
        """The rates in force when something happened; None for an unknown model or before its first price."""
        for effective_from, rates in self.history.get((provider, model), ()):
            if effective_from <= occurred_at:
                return rates
        return None

    def covers(self, at: datetime) -> bool:
        """Whether `models` is the offer at that instant."""
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_until is None or at < self.valid_until
        )


@dataclass(frozen=True, slots=True)
class _Cached:
    book: PriceBook
    stamp: tuple[Any, ...]
    checked_at: datetime


_cache: dict[str, _Cached] = {}
"""At most one entry. Replaced, never changed: a thread sees the old book or the new one."""


def published_plans() -> list[PlanVersion]:
    """The published version of every plan, hidden plans included, by catalogue and position; four queries.

    Plan, prices, entitlements and meters are loaded.
    """
    versions = PlanVersion.objects.filter(state=PlanVersion.State.PUBLISHED).select_related("plan")
    parts = versions.prefetch_related("prices", "entitlements", "meters")
    return list(parts.order_by("plan__catalogue", "plan__position", "plan__slug"))


def default_plan_slug(catalogue: str) -> str | None:
    """The plan that accounts of a catalogue fall back to, if it has one; one query."""
    return Plan.objects.filter(catalogue=catalogue, is_default=True).values_list("slug", flat=True).first()


def is_sold_by_seats(plan_slug: str) -> bool:
    """Whether a price of the plan's published version is for each seat; one query."""
    prices = PlanPrice.objects.filter(version__plan__slug=plan_slug, version__state=PlanVersion.State.PUBLISHED)
    return prices.filter(per_seat=True).exists()


def listed_models(at: datetime) -> list[ListedModel]:
    """The models on offer with the price in force at `at`, by provider and id; one query."""
    prices = latest_prices().filter(model__is_listed=True, effective_from__lte=at)
    return [_listed(price, rates_of(price)) for price in prices]


def latest_prices() -> QuerySet[ModelPrice]:
    """The newest price of each model with its model; filter by `effective_from` for the newest up to an instant."""
    newest_first = ModelPrice.objects.order_by("model__provider", "model__name", "-effective_from")
    return newest_first.distinct("model__provider", "model__name").select_related("model")


def rates_of(price: ModelPrice) -> TokenRates:
    """A row's rates as the rating functions take them."""
    return TokenRates(
        price.input_per_million,
        price.output_per_million,
        price.cached_input_per_million,
        read_bands(price.long_context),
    )


def read_bands(stored: list[dict[str, Any]]) -> tuple[LongContext, ...]:
    """Long-context rates as the database keeps them. Raises ValueError for anything else."""
    base = {"input_per_million": "0", "output_per_million": "0"}
    return TokenRates.from_json(base | {"long_context": stored}).long_context


def price_book(at: datetime) -> PriceBook:
    """The offer at `at` and all prices, from this process's memory: at most five seconds old.

    Asks the database once in five seconds whether anything changed, and reads the prices only then.
    """
    cached = _cache.get("book")
    if cached is not None and cached.book.covers(at):
        if abs(at - cached.checked_at) < _REFRESH:
            return cached.book
        # Other threads go on with the book they have while this one asks.
        _cache["book"] = _Cached(cached.book, cached.stamp, at)
        stamp = _stamp()
        if stamp == cached.stamp:
            return cached.book
    else:
        stamp = _stamp()
    # The stamp is older than the rows: a change in between is found at the next look, never missed.
    book = build_price_book(at)
    _cache["book"] = _Cached(book, stamp, at)
    return book


def clear_price_book() -> None:
    """Forget the cached book: for tests, whose database is rolled back under it."""
    _cache.clear()


def build_price_book(at: datetime) -> PriceBook:
    """Read all prices afresh; one query."""
    rows = list(
        ModelPrice.objects.select_related("model").order_by("model__provider", "model__name", "-effective_from")
    )
    models: dict[ModelKey, ListedModel] = {}
    history: dict[ModelKey, tuple[tuple[datetime, TokenRates], ...]] = {}
    for key, group in groupby(rows, key=lambda price: (price.model.provider, price.model.name)):
        prices = [(price, rates_of(price)) for price in group]
        history[key] = tuple((price.effective_from, rates) for price, rates in prices)
        current = next(((price, rates) for price, rates in prices if price.effective_from <= at), None)
        if current is not None and current[0].model.is_listed:
            models[key] = _listed(*current)
    starts = [price.effective_from for price in rows]
    return PriceBook(
        models=MappingProxyType(models),
        history=MappingProxyType(history),
        valid_from=max((start for start in starts if start <= at), default=None),
        valid_until=min((start for start in starts if start > at), default=None),
    )


def _listed(price: ModelPrice, rates: TokenRates) -> ListedModel:
    model = price.model
    return ListedModel(
        provider=model.provider,
        model=model.name,
        title=model.title,
        tier=model.tier,
        context_window=model.context_window,
        rates=rates,
        price_id=price.id,
    )


def _stamp() -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_STAMP)
        return tuple(cursor.fetchone())
