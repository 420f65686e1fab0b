"""Rating of tokens, against the same sum in fractions (U1, U2, M11)."""

import json
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.pricing.tokens import LongContext, TokenCost, TokenRates, rate_tokens

quick = settings(deadline=None, max_examples=100)
rates = st.decimals(min_value=0, max_value=10_000, places=9)
counts = st.integers(0, 10**12)
bands = st.builds(LongContext, st.integers(0, 10**6), rates, rates, st.none() | rates)
prices = st.builds(
    TokenRates,
    rates,
    rates,
    st.none() | rates,
    st.lists(bands, max_size=3, unique_by=lambda band: band.above_input_tokens).map(
        lambda found: tuple(sorted(found, key=lambda band: band.above_input_tokens))
    ),
)
GPT = TokenRates(Decimal("2.50"), Decimal("10.00"), Decimal("1.25"))
LONG = TokenRates(
    Decimal("1.25"),
    Decimal(10),
    long_context=(
        LongContext(200_000, Decimal("2.50"), Decimal(15)),
        LongContext(500_000, Decimal(5), Decimal(20), Decimal("0.5")),
    ),
)


@quick
@given(prices, counts, counts, st.fractions(0, 1))
def test_costs_equal_the_oracles(price: TokenRates, fresh: int, output: int, share: Fraction) -> None:
    """U2: each component is exact, and the total is their sum rounded half-up once."""
    cached = floor(fresh * share)
    band = max(
        (band for band in price.long_context if fresh > band.above_input_tokens),
        key=lambda band: band.above_input_tokens,
        default=price,
    )
    cached_rate = band.input_per_million if band.cached_input_per_million is None else band.cached_input_per_million
    exact = [
        Fraction(rate) * count / 10**6
        for rate, count in (
            (band.input_per_million, fresh - cached),
            (cached_rate, cached),
            (band.output_per_million, output),
        )
    ]
    cost = rate_tokens(price, input_tokens=fresh, output_tokens=output, cached_input_tokens=cached)
    assert [Fraction(part) for part in cost[:3]] == exact
    assert Fraction(cost.total) == Fraction(floor(sum(exact) * 10**9 + Fraction(1, 2)), 10**9)


def test_a_worked_example() -> None:
    """U2: 10,000 input tokens, 4,000 of them cached, and 500 output tokens."""
    cost = rate_tokens(GPT, input_tokens=10_000, output_tokens=500, cached_input_tokens=4_000)
    assert cost == TokenCost(
        input=Decimal("0.015"), cached_input=Decimal("0.005"), output=Decimal("0.005"), total=Decimal("0.025")
    )
    assert str(cost.total) == "0.025000000"


def test_the_sum_is_rounded_once() -> None:
    """M11: two components of 0.4 nano are 0.8, and round to one nano, not to none."""
    price = TokenRates(Decimal("0.0004"), Decimal("0.0004"))
    assert rate_tokens(price, input_tokens=1, output_tokens=1).total == Decimal("0.000000001")
    assert rate_tokens(price, input_tokens=1, output_tokens=0).total == 0


def test_cached_tokens_billed_twice() -> None:
    """U2: cached tokens are a part of the input tokens; free ones leave only the rest to pay."""
    price = TokenRates(Decimal(1), Decimal(0), Decimal(0))
    cost = rate_tokens(price, input_tokens=1_000_000, output_tokens=0, cached_input_tokens=900_000)
    assert cost.total == Decimal("0.1")


@quick
@given(rates, rates, counts, st.fractions(0, 1))
def test_cached_tokens_cost_the_input_rate_where_there_is_no_other(
    rate: Decimal, output_rate: Decimal, count: int, share: Fraction
) -> None:
    """U2: without a cached rate the number of cached tokens changes nothing."""
    price = TokenRates(rate, output_rate)
    cached = floor(count * share)
    with_cache = rate_tokens(price, input_tokens=count, output_tokens=7, cached_input_tokens=cached)
    assert with_cache.total == rate_tokens(price, input_tokens=count, output_tokens=7).total


@pytest.mark.parametrize(
    ("tokens", "input_cost", "output_cost"),
    [
        (200_000, "0.25", "0.01"),
        (200_001, "0.5000025", "0.015"),
        (500_000, "1.25", "0.015"),
        (500_001, "2.500005", "0.02"),
    ],
)
def test_a_long_request_is_rated_whole_at_the_highest_band(tokens: int, input_cost: str, output_cost: str) -> None:
    """U2: the band's rates apply above its threshold, to all tokens of the request."""
    cost = rate_tokens(LONG, input_tokens=tokens, output_tokens=1_000)
    assert (cost.input, cost.output) == (Decimal(input_cost), Decimal(output_cost))


def test_cached_tokens_count_for_the_band_and_take_its_rate() -> None:
    """U2: a request is long by all its input tokens; a band without a cached rate uses its own input rate."""
    in_second = rate_tokens(LONG, input_tokens=300_000, output_tokens=0, cached_input_tokens=200_000)
    assert in_second.cached_input == Decimal("0.5")
    in_third = rate_tokens(LONG, input_tokens=600_000, output_tokens=0, cached_input_tokens=200_000)
    assert in_third.cached_input == Decimal("0.1")


@pytest.mark.parametrize(("fresh", "output", "cached"), [(-1, 0, 0), (0, -1, 0), (5, 0, -1), (5, 0, 6), (0, 0, 1)])
def test_counts_that_cannot_be(fresh: int, output: int, cached: int) -> None:
    """U2: negative counts and more cached than input tokens are refused."""
    with pytest.raises(ValueError, match="Token counts"):
        rate_tokens(GPT, input_tokens=fresh, output_tokens=output, cached_input_tokens=cached)


@pytest.mark.parametrize("rate", ["-0.01", "NaN", "sNaN", "Infinity", "1000000000000"])
def test_rates_that_cannot_be(rate: str) -> None:
    """M11: a rate is a finite number from zero up, in a price as in a band."""
    bad, good = Decimal(rate), Decimal(1)
    for refused in (
        lambda: TokenRates(bad, good),
        lambda: TokenRates(good, bad),
        lambda: TokenRates(good, good, bad),
        lambda: LongContext(1, bad, good),
        lambda: LongContext(1, good, good, bad),
    ):
        with pytest.raises(ValueError, match="rate"):
            refused()


@pytest.mark.parametrize("thresholds", [(2, 1), (1, 1)])
def test_thresholds_ascend(thresholds: tuple[int, ...]) -> None:
    """U2: two bands for the same request would make its price a matter of order."""
    found = tuple(LongContext(each, Decimal(1), Decimal(1)) for each in thresholds)
    with pytest.raises(ValueError, match="ascend"):
        TokenRates(Decimal(1), Decimal(1), None, found)


def test_thresholds_are_not_negative() -> None:
    """U2: a request has no fewer than no input tokens."""
    with pytest.raises(ValueError, match="not negative"):
        LongContext(-1, Decimal(1), Decimal(1))


@quick
@given(prices)
def test_a_stored_quote_comes_back_the_same(price: TokenRates) -> None:
    """M2: rates go through JSON as decimal strings and come back equal."""
    assert TokenRates.from_json(json.loads(json.dumps(price.to_json()))) == price


def test_rates_are_written_in_plain_notation() -> None:
    """M2: a tiny or a round rate is stored without an exponent."""
    price = TokenRates(Decimal("1E-7"), Decimal("1E+1"))
    assert price.to_json() == {
        "input_per_million": "0.0000001",
        "output_per_million": "10",
        "cached_input_per_million": None,
        "long_context": [],
    }


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        {"input_per_million": "1"},
        {"input_per_million": 1.5, "output_per_million": "1"},
        {"input_per_million": "one", "output_per_million": "1"},
        {"input_per_million": "-1", "output_per_million": "1"},
        {"input_per_million": "1", "output_per_million": "1", "long_context": [{"above_input_tokens": 1}]},
        {"input_per_million": "1", "output_per_million": "1", "long_context": 3},
    ],
)
def test_json_that_is_no_price(data: dict[str, object]) -> None:
    """M2: a damaged quote is a ValueError, never a free request."""
    with pytest.raises(ValueError, match="rate"):
        TokenRates.from_json(data)
