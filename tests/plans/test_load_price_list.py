"""Loading model price lists, and the prices in force at an instant."""

from dataclasses import replace
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from billing.plans.errors import PriceListRefused
from billing.plans.models import Model, ModelPrice
from billing.plans.price_list_file import ModelTier
from billing.plans.queries import listed_models
from billing.plans.services.load_price_list import FIRST_PRICE_FROM, PriceChanges, load_price_list
from billing.pricing.tokens import LongContext
from tests.plans.factories import AT, LATER, make_model, make_price_list

pytestmark = pytest.mark.django_db


def starts(model: str = "acme-1") -> list[tuple[object, str]]:
    prices = ModelPrice.objects.filter(model__name=model).order_by("effective_from")
    return [(price.effective_from, str(price.input_per_million.normalize())) for price in prices]


def test_first_price_reaches_back() -> None:
    """R1, U6: usage that is reported late is priced from the start of 2020 on."""
    assert load_price_list(price_list=make_price_list(), at=AT).created == ["acme/acme-1"]
    assert starts() == [(FIRST_PRICE_FROM, "2")]


def test_second_load_changes_nothing() -> None:
    """R1: loading is idempotent."""
    load_price_list(price_list=make_price_list(), at=AT)
    assert load_price_list(price_list=make_price_list(), at=LATER) == PriceChanges(unchanged=["acme/acme-1"])


def test_changed_price_is_a_new_row() -> None:
    """R1: what ran before is rated at the price of its time."""
    load_price_list(price_list=make_price_list(), at=AT)
    changes = load_price_list(price_list=make_price_list(make_model(rate="1.50")), at=LATER)
    assert changes.repriced == ["acme/acme-1"]
    assert starts() == [(FIRST_PRICE_FROM, "2"), (LATER, "1.5")]


def test_long_context_rates_survive_the_database() -> None:
    """R1: bands for long requests are kept, and compared when the list is loaded again."""
    rates = make_model().rates
    banded = replace(rates, long_context=(LongContext(200_000, Decimal(4), Decimal("12.5"), None),))
    price_list = make_price_list(replace(make_model(), rates=banded))
    load_price_list(price_list=price_list, at=AT)
    assert listed_models(AT)[0].rates == banded
    assert load_price_list(price_list=price_list, at=LATER).unchanged == ["acme/acme-1"]


def test_new_description_needs_no_new_price() -> None:
    """R1: title, tier and context window follow the list."""
    load_price_list(price_list=make_price_list(), at=AT)
    heavy = replace(make_model(), tier=ModelTier.HEAVY)
    assert load_price_list(price_list=make_price_list(heavy), at=LATER).described == ["acme/acme-1"]
    assert Model.objects.get().tier == "heavy"
    assert len(starts()) == 1


def test_vanished_model_is_not_offered() -> None:
    """R1: a model that left its list is kept with its prices and offered no more; other lists' models stay."""
    load_price_list(price_list=make_price_list(make_model(), make_model("acme-2")), at=AT)
    load_price_list(price_list=make_price_list(make_model("own-1"), source="another list"), at=AT)
    assert load_price_list(price_list=make_price_list(), at=LATER).unlisted == ["acme/acme-2"]
    assert [model.model for model in listed_models(LATER)] == ["acme-1", "own-1"]
    assert len(starts("acme-2")) == 1


def test_hidden_model_stays_hidden() -> None:
    """R1: a list does not offer again what staff took off; it is reported."""
    load_price_list(price_list=make_price_list(), at=AT)
    Model.objects.update(is_listed=False)
    assert load_price_list(price_list=make_price_list(), at=LATER).hidden == ["acme/acme-1"]
    assert listed_models(LATER) == []


def test_staff_price_is_kept() -> None:
    """R1: a price that staff set is not overwritten by a list; it is reported."""
    load_price_list(price_list=make_price_list(), at=AT)
    own = {"input_per_million": 9, "output_per_million": 9, "source": "staff"}
    ModelPrice.objects.create(model=Model.objects.get(), effective_from=AT, **own)
    changes = load_price_list(price_list=make_price_list(make_model(rate="1.00", name="New title")), at=LATER)
    assert changes == PriceChanges(kept=["acme/acme-1"])
    assert [start for start, _ in starts()] == [FIRST_PRICE_FROM, AT]
    assert Model.objects.get().title == "Acme 1"


def test_list_cannot_pass_for_staff() -> None:
    """R1: or nobody could tell whose a price is."""
    with pytest.raises(PriceListRefused, match="staff"):
        load_price_list(price_list=make_price_list(source="staff"), at=AT)


def test_past_is_not_priced_anew() -> None:
    """M11: a price never begins before one that is in force already."""
    load_price_list(price_list=make_price_list(), at=AT)
    load_price_list(price_list=make_price_list(make_model(rate="1.50")), at=LATER)
    with pytest.raises(PriceListRefused, match="has a price from 2026-04-01 12:00 UTC on already"):
        load_price_list(price_list=make_price_list(make_model(rate="1.00")), at=AT)


def test_model_that_staff_made_gets_its_price() -> None:
    """R1: a model without a price is completed by a list."""
    Model.objects.create(provider="acme", name="acme-1", title="By hand", tier="fast")
    load_price_list(price_list=make_price_list(), at=AT)
    assert Model.objects.get().title == "Acme 1"
    assert len(starts()) == 1


def test_command_loads_the_shipped_list_once() -> None:
    """R1: `load_prices` loads every model; again, it says that nothing changed."""
    first, second = StringIO(), StringIO()
    call_command("load_prices", stdout=first)
    call_command("load_prices", stdout=second)
    assert "192 models created" in first.getvalue()
    assert second.getvalue().startswith("0 models created, 0 repriced, 0 described anew, 192 unchanged")
