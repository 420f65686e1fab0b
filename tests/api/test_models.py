"""GET /v1/pricing/models, and how public answers are kept."""

from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.plans.models import Model, ModelPrice
from billing.plans.queries import clear_price_book
from tests.api.calls import get
from tests.make import AT

PATH = "/v1/pricing/models"
FIELDS = {
    "provider",
    "model",
    "title",
    "tier",
    "context_window",
    "input_per_million",
    "output_per_million",
    "cached_input_per_million",
    "long_context",
}


def test_models_without_a_key(catalogue: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """R1: every listed model with its tier, context and prices, sorted; from memory the second time."""
    models = get(PATH).json()["models"]
    with django_assert_num_queries(0):
        again = get(PATH).json()["models"]
    assert models == again
    assert len(models) == Model.objects.filter(is_listed=True).count()
    assert all(set(model) == FIELDS for model in models)
    names = [(model["provider"], model["model"]) for model in models]
    assert names == sorted(names)
    gpt = models[names.index(("openai", "gpt-4o"))]
    assert (gpt["input_per_million"], gpt["output_per_million"], gpt["cached_input_per_million"]) == (
        "2.50",
        "10.00",
        "1.25",
    )


def test_small_rates_keep_their_digits(catalogue: None) -> None:
    """R1, M11: a rate has the digits that it needs, two at least, and never an exponent."""
    model = Model.objects.create(provider="acme", name="tiny", title="Tiny", tier="fast")
    ModelPrice.objects.create(
        model=model,
        effective_from=AT,
        input_per_million=Decimal("0.000000001"),
        output_per_million=Decimal(1000),
        source="staff",
    )
    clear_price_book()
    tiny = next(model for model in get(PATH).json()["models"] if model["model"] == "tiny")
    assert (tiny["input_per_million"], tiny["output_per_million"]) == ("0.000000001", "1000.00")
    assert (tiny["cached_input_per_million"], tiny["context_window"]) == (None, None)


@pytest.mark.parametrize("path", [PATH, "/v1/pricing/plans", "/v1/openapi.json"])
def test_entity_tags(catalogue: None, path: str) -> None:
    """F3: caches keep public answers for a minute, and a client that has one is told so without a body."""
    first = get(path)
    assert first.headers["Cache-Control"] == "public, max-age=60"
    assert "Set-Cookie" not in first.headers
    assert "Cookie" not in first.headers.get("Vary", "")
    again = get(path, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert get(path, **{"If-None-Match": '"other"'}).status_code == 200


def test_bad_key_does_not_matter(catalogue: None) -> None:
    """R1: public is public, whatever the request carries."""
    assert get(PATH, Authorization="Bearer nonsense").status_code == 200
