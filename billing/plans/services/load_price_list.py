from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import transaction

from billing.plans.errors import PriceListRefused
from billing.plans.models import Model, ModelPrice
from billing.plans.price_list_file import ModelSpec, PriceList
from billing.plans.queries import latest_prices, rates_of
from billing.plans.services.catalogue_lock import lock_catalogue
from billing.pricing.tokens import TokenRates

FIRST_PRICE_FROM = datetime(2020, 1, 1, tzinfo=UTC)
"""Where a model's first price begins, so that usage reported late is priced too."""

STAFF_SOURCE = "staff"
"""The source of prices that staff set by hand."""


@dataclass(slots=True)
class PriceChanges:
    """What loading a price list did, by `provider/model`.

    `kept` models have a price of staff's own and are left alone. `hidden` ones are in the list, but staff or an earlier
    list took them off; listing them again is staff's decision. `unlisted` ones vanished from the list.
    """

    created: list[str] = field(default_factory=list)
    repriced: list[str] = field(default_factory=list)
    described: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)


@transaction.atomic
def load_price_list(*, price_list: PriceList, at: datetime) -> PriceChanges:
    """Bring models and prices (US dollars per million tokens) to what a list says (R1); a second time changes nothing.

    A changed price is a new row in force from `at`. Raises PriceListRefused for a list that calls itself staff's, or
    if a price that is to change begins at `at` or later.
    """
    if price_list.source == STAFF_SOURCE:
        raise PriceListRefused(f"The source “{STAFF_SOURCE}” is kept for prices that staff set by hand.")
    lock_catalogue()
    known = {(price.model.provider, price.model.name): price for price in latest_prices()}
    unpriced = {(model.provider, model.name): model for model in Model.objects.filter(prices=None)}
    writes = _Writes(price_list.source, at)
    for spec in price_list.models:
        key = (spec.provider, spec.model)
        latest = known.get(key)
        if latest is None:
            writes.create(unpriced.get(key) or Model(provider=spec.provider, name=spec.model), spec)
        elif latest.source == STAFF_SOURCE:
            writes.changes.kept.append(str(latest.model))
        else:
            writes.update(latest, spec)
    writes.save()
    writes.changes.unlisted = _unlist_vanished(price_list, known)
    return writes.changes


@dataclass(slots=True)
class _Writes:
    """The rows that a list calls for, gathered so that they are written in two statements."""

    source: str
    at: datetime
    changes: PriceChanges = field(default_factory=PriceChanges)
    models: list[Model] = field(default_factory=list)
    prices: list[ModelPrice] = field(default_factory=list)

    def create(self, model: Model, spec: ModelSpec) -> None:
        self.models.append(_describe(model, spec))
        self.prices.append(_price(model, spec.rates, source=self.source, since=FIRST_PRICE_FROM))
        self.changes.created.append(str(model))

    def update(self, latest: ModelPrice, spec: ModelSpec) -> None:
        model = latest.model
        if not model.is_listed:
            self.changes.hidden.append(str(model))
        if rates_of(latest) != spec.rates:
            if latest.effective_from >= self.at:
                raise PriceListRefused(
                    f"{model} has a price from {latest.effective_from:%Y-%m-%d %H:%M} UTC on already."
                )
            self.prices.append(_price(model, spec.rates, source=self.source, since=self.at))
            self.changes.repriced.append(str(model))
        elif (model.title, model.tier, model.context_window) == _description(spec):
            self.changes.unchanged.append(str(model))
            return
        else:
            self.changes.described.append(str(model))
        self.models.append(_describe(model, spec))

    def save(self) -> None:
        Model.objects.bulk_create(
            self.models,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["title", "tier", "context_window"],
        )
        ModelPrice.objects.bulk_create(self.prices)


def _description(spec: ModelSpec) -> tuple[str, str, int]:
    return spec.name, spec.tier.value, spec.context_window


def _describe(model: Model, spec: ModelSpec) -> Model:
    model.title, model.tier, model.context_window = _description(spec)
    return model


def _price(model: Model, rates: TokenRates, *, source: str, since: datetime) -> ModelPrice:
    return ModelPrice(
        model=model,
        effective_from=since,
        input_per_million=rates.input_per_million,
        output_per_million=rates.output_per_million,
        cached_input_per_million=rates.cached_input_per_million,
        long_context=rates.to_json()["long_context"],
        source=source,
    )


def _unlist_vanished(price_list: PriceList, known: dict[tuple[str, str], ModelPrice]) -> list[str]:
    """Stop offering the models that came from this source and are not in its list any more; their prices stay."""
    listed = {(spec.provider, spec.model) for spec in price_list.models}
    vanished = [
        price.model
        for key, price in known.items()
        if key not in listed and price.source == price_list.source and price.model.is_listed
    ]
    Model.objects.filter(id__in=[model.id for model in vanished]).update(is_listed=False)
    return [str(model) for model in vanished]
