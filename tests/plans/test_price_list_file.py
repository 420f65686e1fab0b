"""Model price lists: the shipped one, its source, and what a file is refused for."""

import json
import re
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import pytest

from billing.plans.data_table import DataFileError
from billing.plans.price_list_file import (
    SHIPPED_PRICE_LIST,
    ModelSpec,
    ModelTier,
    PriceList,
    parse_price_list,
    shipped_price_list,
)
from billing.pricing.tokens import LongContext, TokenRates
from sandbox.import_price_list import build
from sandbox.price_list_rules import tier_of

PROVIDERS = {"anthropic", "openai", "google", "groq", "deepseek", "openrouter", "together", "ollama"}


def make_model(**changes: Any) -> dict[str, Any]:
    step = {
        "above_input_tokens": 200_000,
        "input_per_million": "4",
        "output_per_million": "12.5",
        "cached_input_per_million": None,
    }
    model = {
        "provider": "acme",
        "model": "acme-1",
        "name": "Acme 1",
        "tier": "standard",
        "context_window": 1_000_000,
        "input_per_million": "2.00",
        "output_per_million": "10.00",
        "cached_input_per_million": "0.125",
        "long_context": [step],
    }
    return model | changes


def make_list(*models: dict[str, Any], **changes: Any) -> str:
    head = {"source": "by hand", "source_version": "1", "as_of": "2026-11-21", "currency": "USD"}
    return json.dumps(head | {"models": list(models)} | changes)


def parse(text: str) -> PriceList:
    return parse_price_list(text, source="list.json")


def shipped(provider: str, model: str) -> ModelSpec:
    return next(spec for spec in shipped_price_list().models if (spec.provider, spec.model) == (provider, model))


def test_shipped_list_covers_the_providers() -> None:
    """R1, K3: models of every language-model provider, and not so many that nobody can read them."""
    models = shipped_price_list().models
    assert {spec.provider for spec in models} == PROVIDERS
    assert 100 <= len(models) <= 200


@pytest.mark.parametrize(
    ("provider", "model", "tier"),
    [
        ("openai", "gpt-4o", "standard"),
        ("openai", "gpt-4o-mini", "fast"),
        ("openai", "o4-mini", "heavy"),
        ("anthropic", "claude-haiku-4-5", "fast"),
        ("anthropic", "claude-sonnet-5-5", "standard"),
        ("anthropic", "claude-opus-5-5", "heavy"),
        ("google", "gemini-3.8-flash", "fast"),
        ("google", "gemini-2.5-pro", "standard"),
        ("groq", "llama-3.3-70b-versatile", "standard"),
        ("deepseek", "deepseek-chat", "standard"),
        ("openrouter", "nvidia/nemotron-3-ultra-550b-a55b:free", "heavy"),
        ("ollama", "llama3.2", "fast"),
    ],
)
def test_tier_of_well_known_models(provider: str, model: str, tier: str) -> None:
    """R1, R2: the models that routing is described with stand in their tiers."""
    assert shipped(provider, model).tier.value == tier


@pytest.mark.parametrize("tier", list(ModelTier))
def test_every_tier_has_local_free_and_paid_models(tier: ModelTier) -> None:
    """R2: the preference order finds a candidate at each of its steps."""
    models = [spec for spec in shipped_price_list().models if spec.tier is tier]
    assert any(spec.provider == "ollama" for spec in models)
    assert any(spec.model.endswith(":free") for spec in models)
    assert any(spec.rates.output_per_million > 0 for spec in models)


def test_rates_of_a_shipped_model() -> None:
    """R1: dollars per million tokens, as the public shape shows them."""
    rates = shipped("openai", "gpt-4o").rates
    assert rates == TokenRates(Decimal("2.50"), Decimal("10.00"), Decimal("1.25"), ())
    assert str(rates.input_per_million) == "2.50"


def test_long_prompts_of_a_shipped_model() -> None:
    """R1: a step by prompt length keeps its threshold and all its rates."""
    assert shipped("google", "gemini-2.5-pro").rates.long_context == (
        LongContext(200_000, Decimal("2.50"), Decimal("15.00"), Decimal("0.25")),
    )


def test_price_by_the_hour_is_listed_at_its_peak() -> None:
    """R1, M2: an estimate is never below what the provider asks."""
    assert shipped("deepseek", "deepseek-chat").rates.output_per_million == Decimal("1.10")


@pytest.mark.parametrize("free", ["ollama", ":free"])
def test_free_models_cost_nothing(free: str) -> None:
    """R2: local and free models are zero in every rate."""
    models = [spec for spec in shipped_price_list().models if free in {spec.provider, spec.model[-5:]}]
    assert {spec.rates for spec in models} == {TokenRates(Decimal(0), Decimal(0), Decimal(0), ())}


def test_shipped_list_is_what_the_source_says() -> None:
    """R1: nobody edits the file by hand; running the importer again changes nothing."""
    price_list = shipped_price_list()
    assert price_list.source_version == version(price_list.source)
    assert build(as_of=price_list.as_of)[0] == SHIPPED_PRICE_LIST.read_text(encoding="utf-8")


def test_parsed_model() -> None:
    """R1: every field arrives, exact."""
    assert parse(make_list(make_model())).models == (
        ModelSpec(
            provider="acme",
            model="acme-1",
            name="Acme 1",
            tier=ModelTier.STANDARD,
            context_window=1_000_000,
            rates=TokenRates(
                Decimal(2),
                Decimal(10),
                Decimal("0.125"),
                (LongContext(200_000, Decimal(4), Decimal("12.5"), None),),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"provider": ""}, "models[0].provider: must be a text"),
        ({"tier": "huge"}, "models[acme/acme-1].tier: must be one of fast, standard, heavy"),
        ({"context_window": 0}, "models[acme/acme-1].context_window: must be a whole number of at least 1"),
        ({"input_per_million": 2.5}, "models[acme/acme-1].input_per_million: must be a decimal number in quotes"),
        ({"input_per_million": "two"}, "models[acme/acme-1].input_per_million: must be a decimal number in quotes"),
        ({"input_per_million": "NaN"}, "models[acme/acme-1].input_per_million: must be a number of at least 0"),
        ({"output_per_million": "-1"}, "models[acme/acme-1].output_per_million: must be a number of at least 0"),
        ({"output_per_million": "0.0000000001"}, "models[acme/acme-1].output_per_million: has more than 9 decimals"),
        ({"output_per_million": "1e30"}, "models[acme/acme-1].output_per_million: is too large"),
        ({"output_per_million": "1e-999999"}, "models[acme/acme-1].output_per_million: has more than 9 decimals"),
        (
            {"output_per_million": "100000000000000.0000000000000000001"},
            "models[acme/acme-1].output_per_million: has more",
        ),
        ({"cached_input_per_million": 1}, "models[acme/acme-1].cached_input_per_million: must be a decimal number"),
        ({"long_context": {}}, "models[acme/acme-1].long_context: must be a list of tables"),
        ({"long_context": [{}]}, "models[acme/acme-1].long_context[0].above_input_tokens: is missing"),
        ({"long_context": make_model()["long_context"] * 2}, "models[acme/acme-1]: has rates that cannot be used"),
        ({"colour": "red"}, "models[acme/acme-1].colour: is not a known key"),
    ],
)
def test_bad_model_is_refused_by_key(changes: dict[str, Any], message: str) -> None:
    """R1: an error names the file, the model and the key."""
    with pytest.raises(DataFileError, match=r"\Alist\.json: " + re.escape(message)):
        parse(make_list(make_model(**changes)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (make_list(), "models: is empty"),
        (make_list(make_model(), make_model()), "models[acme/acme-1]: is given twice"),
        (make_list(make_model(), currency="EUR"), "currency: must be USD"),
        (make_list(make_model(), as_of="yesterday"), "as_of: must be a date"),
        (make_list(make_model(), note="x"), "note: is not a known key"),
        (make_list(make_model()).replace("[{", "[1, {", 1), "models[0]: must be a table"),
        ("[]", "must be an object"),
        ("{", "is not JSON"),
        ('{"models": NaN}', "is not JSON: NaN is not a number"),
        ('{"source": "a", "source": "b"}', "is not JSON: a key is given twice"),
    ],
)
def test_bad_list_is_refused(text: str, message: str) -> None:
    """R1: a list that cannot be trusted is not loaded in part."""
    with pytest.raises(DataFileError, match=r"\Alist\.json: " + re.escape(message)):
        parse(text)


@pytest.mark.parametrize(
    ("model", "input_rate", "output_rate", "tier"),
    [
        ("unheard-of", "0.50", "2.46", "fast"),
        ("unheard-of", "0.50", "2.50", "standard"),
        ("unheard-of", "5.00", "16.96", "standard"),
        ("unheard-of", "5.00", "17.00", "heavy"),
        ("unheard-of:free", "0", "0", "fast"),
        ("unheard-of-59b:free", "0", "0", "fast"),
        ("unheard-of-60b-a3b:free", "0", "0", "standard"),
        ("unheard-of-200b:free", "0", "0", "heavy"),
        ("some/Claude-Opus-9", "0.01", "0.01", "heavy"),
    ],
)
def test_tier_by_family_then_price_then_size(model: str, input_rate: str, output_rate: str, tier: str) -> None:
    """R2: the rule that places a model nobody placed by hand."""
    assert tier_of(model, input_rate=Decimal(input_rate), output_rate=Decimal(output_rate)).value == tier
