"""GET /v1/pricing/models: what models cost, to everybody."""

from decimal import Decimal

import msgspec
from django.http import HttpResponseBase
from django.utils.timezone import now
from rest_framework.request import Request

from billing.api.describe import describe
from billing.api.figures import Rate, rate
from billing.api.renderers import encode
from billing.api.serializers import Query
from billing.api.views.base import PublicView, public_answer
from billing.plans.queries import ListedModel, price_book
from billing.pricing.tokens import LongContext


class LongContextAnswer(msgspec.Struct, frozen=True):
    """The rates of a request whose input exceeds a number of tokens."""

    above_input_tokens: int
    input_per_million: Rate
    output_per_million: Rate
    cached_input_per_million: Rate | None


class ModelAnswer(msgspec.Struct, frozen=True):
    """A model on offer, with rates in US dollars per million tokens.

    Without a rate of their own cached tokens cost what input does.
    """

    provider: str
    model: str
    title: str
    tier: str
    context_window: int | None
    input_per_million: Rate
    output_per_million: Rate
    cached_input_per_million: Rate | None
    long_context: list[LongContextAnswer]


class ModelsAnswer(msgspec.Struct, frozen=True):
    """All models on offer, by provider and name."""

    models: list[ModelAnswer]


class PublicModels(PublicView):
    """GET /v1/pricing/models"""

    @describe("list_public_models", tag="Pricing", summary="Models and their prices", answer=ModelsAnswer)
    def get(self, request: Request) -> HttpResponseBase:
        """Needs no key."""
        Query.read(request)
        models = [_answer(model) for model in price_book(now()).models.values()]
        return public_answer(request, encode(ModelsAnswer(models)))


def _answer(listed: ListedModel) -> ModelAnswer:
    rates = listed.rates
    return ModelAnswer(
        provider=listed.provider,
        model=listed.model,
        title=listed.title,
        tier=listed.tier,
        context_window=listed.context_window,
        input_per_million=rate(rates.input_per_million),
        output_per_million=rate(rates.output_per_million),
        cached_input_per_million=_or_none(rates.cached_input_per_million),
        long_context=[_band(band) for band in rates.long_context],
    )


def _band(band: LongContext) -> LongContextAnswer:
    return LongContextAnswer(
        above_input_tokens=band.above_input_tokens,
        input_per_million=rate(band.input_per_million),
        output_per_million=rate(band.output_per_million),
        cached_input_per_million=_or_none(band.cached_input_per_million),
    )


def _or_none(value: Decimal | None) -> str | None:
    return None if value is None else rate(value)
