"""Rating of LLM tokens at rates per million (U1, U2, M11).

Rates and costs are in one currency, which the caller knows. Each component of a cost is exact; the one
rounding, to nine decimals, is of their sum.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any, NamedTuple

from billing.core.money import EXACT, MAX_AMOUNT, round_rated

_PER_MILLION = -6  # power of ten

_multiply, _add, _scale = EXACT.multiply, EXACT.add, EXACT.scaleb


def _check_rates(*rates: Decimal | None) -> None:
    for rate in rates:
        if rate is not None and not (rate.is_finite() and 0 <= rate <= MAX_AMOUNT):
            raise ValueError(f"A rate lies between 0 and {MAX_AMOUNT}, {rate} does not.")


@dataclass(frozen=True, slots=True)
class LongContext:
    """Rates for requests with more than `above_input_tokens` input tokens, cached ones counted.

    Without a cached rate the ordinary input rate of this band applies. Raises ValueError for a negative
    threshold or rate.
    """

    above_input_tokens: int
    input_per_million: Decimal
    output_per_million: Decimal
    cached_input_per_million: Decimal | None = None

    def __post_init__(self) -> None:
        if self.above_input_tokens < 0:
            raise ValueError("A long-context threshold is not negative.")
        _check_rates(self.input_per_million, self.output_per_million, self.cached_input_per_million)


@dataclass(frozen=True, slots=True)
class TokenRates:
    """What a million tokens of a model cost, and dearer or cheaper bands for long requests.

    Raises ValueError for a negative or endless rate, or for bands whose thresholds do not ascend.
    """

    input_per_million: Decimal
    output_per_million: Decimal
    cached_input_per_million: Decimal | None = None
    long_context: tuple[LongContext, ...] = ()

    def __post_init__(self) -> None:
        _check_rates(self.input_per_million, self.output_per_million, self.cached_input_per_million)
        thresholds = [band.above_input_tokens for band in self.long_context]
        if any(low >= high for low, high in pairwise(thresholds)):
            raise ValueError("Long-context thresholds ascend.")

    def to_json(self) -> dict[str, Any]:
        """Give the rates as plain JSON values, each rate a decimal string, for a quote that is stored."""
        bands = [{"above_input_tokens": b.above_input_tokens} | _rates_to_json(b) for b in self.long_context]
        return {**_rates_to_json(self), "long_context": bands}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "TokenRates":
        """Read what `to_json` gave. Raises ValueError for anything that is not a price of tokens."""
        try:
            bands = tuple(
                LongContext(int(band["above_input_tokens"]), **_rates_from_json(band))
                for band in data.get("long_context", ())
            )
            return cls(**_rates_from_json(data), long_context=bands)
        except (KeyError, TypeError, AttributeError, InvalidOperation) as error:
            raise ValueError("Token rates are input_per_million and output_per_million, decimal strings.") from error


class TokenCost(NamedTuple):
    """What a request costs: exact components, and their sum rounded to nine decimals."""

    input: Decimal
    cached_input: Decimal
    output: Decimal
    total: Decimal


def rate_tokens(rates: TokenRates, *, input_tokens: int, output_tokens: int, cached_input_tokens: int = 0) -> TokenCost:
    """Rate one request.

    `cached_input_tokens` are a part of `input_tokens` and are billed once, at the cached rate, or at the
    input rate where there is none. Beyond a long-context threshold the whole request is rated at the
    rates of the highest threshold exceeded. Raises ValueError for negative counts or more cached than input.
    """
    if output_tokens < 0 or not 0 <= cached_input_tokens <= input_tokens:
        raise ValueError("Token counts are not negative, and cached tokens are a part of the input tokens.")
    band: TokenRates | LongContext = rates
    for candidate in rates.long_context:
        if input_tokens <= candidate.above_input_tokens:
            break
        band = candidate
    cached_rate = band.cached_input_per_million
    if cached_rate is None:
        cached_rate = band.input_per_million
    fresh = _scale(_multiply(band.input_per_million, input_tokens - cached_input_tokens), _PER_MILLION)
    cached = _scale(_multiply(cached_rate, cached_input_tokens), _PER_MILLION)
    output = _scale(_multiply(band.output_per_million, output_tokens), _PER_MILLION)
    return TokenCost(fresh, cached, output, round_rated(_add(_add(fresh, cached), output)))


def _rates_to_json(band: TokenRates | LongContext) -> dict[str, Any]:
    cached = band.cached_input_per_million
    return {
        "input_per_million": f"{band.input_per_million:f}",
        "output_per_million": f"{band.output_per_million:f}",
        "cached_input_per_million": None if cached is None else f"{cached:f}",
    }


def _rates_from_json(data: dict[str, Any]) -> dict[str, Any]:
    cached = data.get("cached_input_per_million")
    return {
        "input_per_million": _rate(data["input_per_million"]),
        "output_per_million": _rate(data["output_per_million"]),
        "cached_input_per_million": None if cached is None else _rate(cached),
    }


def _rate(text: str) -> Decimal:
    if not isinstance(text, str):
        raise TypeError("A rate is a decimal string; a JSON number would have passed through a float.")
    return Decimal(text)
