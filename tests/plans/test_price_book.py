"""The price book: prices in memory, right at every instant and fresh within five seconds."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.plans.models import Model, ModelPrice
from billing.plans.queries import PriceBook, listed_models, price_book
from billing.plans.services.load_price_list import FIRST_PRICE_FROM, load_price_list
from tests.plans.factories import AT, LATER, make_model, make_price_list

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def load(rate: str, at: datetime) -> None:
    load_price_list(price_list=make_price_list(make_model(rate=rate), make_model("acme-2")), at=at)


def rate(book: PriceBook, at: datetime) -> str | None:
    rates = book.rates("acme", "acme-1", at)
    return rates and str(rates.input_per_million.normalize())


def test_rates_of_the_time() -> None:
    """U6, R1: an event is rated at the price in force when it happened, to the microsecond."""
    load("2.00", AT)
    load("3.00", LATER)
    book = price_book(LATER)
    assert rate(book, FIRST_PRICE_FROM) == rate(book, LATER - timedelta(microseconds=1)) == "2"
    assert rate(book, LATER) == rate(book, LATER + timedelta(days=900)) == "3"
    assert rate(book, FIRST_PRICE_FROM - SECOND) is None
    assert book.rates("acme", "unknown", AT) is None


def test_unlisted_model_is_not_offered_and_still_rated() -> None:
    """R1, U6: late events of a withdrawn model have a price."""
    load("2.00", AT)
    Model.objects.filter(name="acme-1").update(is_listed=False)
    book = price_book(AT)
    assert [*book.models] == [("acme", "acme-2")]
    assert rate(book, AT) == "2"


def test_book_offers_what_the_list_of_the_instant_does() -> None:
    """R1: in memory and by query, the offer is the same, before and after a price that is still to come."""
    load("2.00", AT)
    load("3.00", LATER)
    for at in (AT, LATER - SECOND, LATER, LATER + SECOND):
        assert list(price_book(at).models.values()) == listed_models(at)
    assert price_book(AT).models["acme", "acme-1"].rates.input_per_million == Decimal(2)


def test_no_query_within_five_seconds(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """M2: a decision does not pay for reading prices."""
    load("2.00", AT)
    book = price_book(AT)
    with django_assert_num_queries(0):
        assert price_book(AT + 4 * SECOND) is book
    with django_assert_num_queries(1):
        assert price_book(AT + 5 * SECOND) is book
    with django_assert_num_queries(0):
        assert price_book(AT + 9 * SECOND) is book


@pytest.mark.parametrize("change", ["price", "model"])
def test_change_is_seen_after_five_seconds(change: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """R1: a new price and an edited model reach every process."""
    load("2.00", AT)
    price_book(AT)
    if change == "price":
        ModelPrice.objects.create(
            model=Model.objects.get(name="acme-1"),
            effective_from=AT + SECOND,
            input_per_million=7,
            output_per_million=7,
            source="staff",
        )
    else:
        Model.objects.filter(name="acme-1").update(tier="heavy")
    assert price_book(AT + 2 * SECOND).models["acme", "acme-1"].tier == "standard"
    with django_assert_num_queries(2):
        book = price_book(AT + 5 * SECOND)
    assert (rate(book, AT + 5 * SECOND), book.models["acme", "acme-1"].tier) == (
        ("7", "standard") if change == "price" else ("2", "heavy")
    )


def test_scheduled_price_takes_effect_on_time() -> None:
    """R1: a price that is to come is offered from its own instant on, not five seconds later."""
    load("2.00", AT)
    load("3.00", LATER)
    assert price_book(LATER - SECOND).models["acme", "acme-1"].rates.input_per_million == Decimal(2)
    assert price_book(LATER).models["acme", "acme-1"].rates.input_per_million == Decimal(3)


def test_threads_share_the_book() -> None:
    """M2: many threads read the same book without a query of their own."""
    load("2.00", AT)
    book = price_book(AT)
    with ThreadPoolExecutor(8) as pool:
        books = list(pool.map(lambda n: price_book(AT + SECOND * (n % 5)), range(200)))
    assert all(other is book for other in books)


def test_book_of_an_empty_catalogue() -> None:
    """R1: without a price list there is an offer of nothing."""
    book = price_book(AT)
    assert (dict(book.models), book.valid_from, book.valid_until) == ({}, None, None)


def test_listed_models_in_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """R1: the public list costs one query, however long it is."""
    load("2.00", AT)
    load("3.00", LATER)
    with django_assert_num_queries(1):
        assert [model.title for model in listed_models(LATER)] == ["Acme 1", "Acme 1"]
