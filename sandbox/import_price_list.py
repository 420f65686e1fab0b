"""Write the shipped model price list from the PyPI package `genai-prices`.

    python -m sandbox.import_price_list [--as-of 2026-11-21]

In go the text models that `sandbox.price_list_rules` selects, that the source does not mark deprecated, and whose
price is one rate each for input, output and cached input, with steps by prompt length. What cannot be said in that
form is left out and counted: prices per second, picture or spoken word, and prices that change within the day.
DeepSeek sells by the hour; its models named in AT_PEAK_RATES are listed at the dearer rate, so that an estimate is
never too low.

Rates that a text call meets only sometimes are not in the list: writing to a provider's prompt cache, tool fees such
as web search, and spoken input. A provider that charges more for cache writes is rated a little low on them.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib.metadata import version

from genai_prices.data import providers
from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

from billing.plans.price_list_file import SHIPPED_PRICE_LIST, parse_price_list
from sandbox.price_list_rules import (
    AT_PEAK_RATES,
    CONTEXT_WINDOWS,
    LEFT_OUT,
    NAMES,
    OLLAMA,
    SELECTED,
    matches,
    tier_of,
)

SOURCE = "genai-prices"
INPUT, OUTPUT, CACHED = "input_mtok", "output_mtok", "cache_read_mtok"
NOT_IN_A_TEXT_CALL = frozenset(
    {
        "cache_write_mtok",
        "cache_write_1h_mtok",
        "web_searches_kcount",
        "storage_searches_kcount",
        "input_audio_mtok",
        "cache_audio_read_mtok",
    }
)

Row = dict[str, object]
Rate = Decimal | TieredPrices
FREE: dict[str, Rate] = {INPUT: Decimal(0), OUTPUT: Decimal(0), CACHED: Decimal(0)}
CONTEXT_IN_NAME = re.compile(r"\s\d+k$")


class LeftOutError(Exception):
    """A model that the list does not carry; the message says why."""


def build(*, as_of: date) -> tuple[str, Counter[str]]:
    """The file's text with the prices in force on `as_of` (UTC), and how many selected models it lacks, by reason."""
    rows = [_local_row(*local) for local in OLLAMA]
    lacking: Counter[str] = Counter()
    for provider, model in _selected():
        try:
            rows.append(_row(provider, model, as_of))
        except LeftOutError as why:
            lacking[str(why)] += 1
    rows.sort(key=lambda row: (str(row["provider"]), str(row["model"])))
    return _text(rows, as_of), lacking


def _selected() -> Iterator[tuple[str, ModelInfo]]:
    for provider in providers:
        for model in provider.models if provider.id in SELECTED else ():
            if matches(model.id, SELECTED[provider.id]) and not matches(model.id, LEFT_OUT):
                yield provider.id, model


def _row(provider: str, model: ModelInfo, as_of: date) -> Row:
    key = (provider, model.id)
    window = CONTEXT_WINDOWS.get(key, model.context_window)
    if model.deprecated:
        raise LeftOutError("marked deprecated")
    if window is None:
        raise LeftOutError("context window unknown")
    rates = _rates_of_the_day(provider, model, as_of)
    steps = sorted({step.start for rate in rates.values() if isinstance(rate, TieredPrices) for step in rate.tiers})
    tier = tier_of(model.id, input_rate=_rate(rates[INPUT], 0), output_rate=_rate(rates[OUTPUT], 0))
    return {
        "provider": provider,
        "model": model.id,
        "name": NAMES.get(key) or _name(model),
        "tier": tier.value,
        "context_window": window,
        **_amounts(rates, 0),
        "long_context": [{"above_input_tokens": start, **_amounts(rates, start)} for start in steps if start < window],
    }


def _name(model: ModelInfo) -> str:
    name = " ".join((model.name or model.id.rpartition("/")[2]).split())
    return CONTEXT_IN_NAME.sub("", name)


def _rates_of_the_day(provider: str, model: ModelInfo, as_of: date) -> dict[str, Rate]:
    """The one price of that day, or the dearest of several where that is what the list says."""
    midnight = datetime.combine(as_of, time(), tzinfo=UTC)
    prices: list[ModelPrice] = []
    for minute in range(0, 24 * 60, 15):
        price = model.get_prices(midnight + timedelta(minutes=minute))
        if price not in prices:
            prices.append(price)
    if len(prices) > 1 and (provider, model.id) not in AT_PEAK_RATES:
        raise LeftOutError("price changes within the day")
    every = [_rates(price, free=model.id.endswith(":free")) for price in prices]
    return max(every, key=lambda rates: _rate(rates[OUTPUT], 0))


def _rates(price: ModelPrice, *, free: bool) -> dict[str, Rate]:
    """The source states no price at all for a free model, and for one that it knows nothing of."""
    stated = {key: rate for key, rate in vars(price).items() if rate is not None}
    if free and not stated:
        return dict(FREE)
    if stated.keys() - NOT_IN_A_TEXT_CALL - {INPUT, OUTPUT, CACHED}:
        raise LeftOutError("priced by more than text tokens")
    if not {INPUT, OUTPUT} <= stated.keys():
        raise LeftOutError("no price for both input and output")
    return {key: stated[key] for key in (INPUT, OUTPUT, CACHED) if key in stated}


def _rate(rate: Rate, above: int) -> Decimal:
    """The rate of a whole call with more than `above` input tokens: reaching a step reprices every token of it."""
    if isinstance(rate, Decimal):
        return rate
    return next((step.price for step in reversed(rate.tiers) if step.start <= above), rate.base)


def _amounts(rates: dict[str, Rate], above: int) -> Row:
    cached = _plain(_rate(rates[CACHED], above)) if CACHED in rates else None
    return {
        "input_per_million": _plain(_rate(rates[INPUT], above)),
        "output_per_million": _plain(_rate(rates[OUTPUT], above)),
        "cached_input_per_million": cached,
    }


def _plain(amount: Decimal) -> str:
    """At least two decimals, as prices are written, and no more than the amount needs."""
    shortest = amount.normalize()
    return format(shortest if -int(shortest.as_tuple().exponent) > 2 else amount.quantize(Decimal("0.01")), "f")


def _local_row(model: str, name: str, tier: str, window: int) -> Row:
    head: Row = {"provider": "ollama", "model": model, "name": name, "tier": str(tier), "context_window": window}
    return {**head, **_amounts(FREE, 0), "long_context": []}


def _text(rows: list[Row], as_of: date) -> str:
    """One model a line, so that a price change is one line of a diff."""
    head = {"source": SOURCE, "source_version": version(SOURCE), "as_of": as_of.isoformat(), "currency": "USD"}
    lines = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    models = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
    return "\n".join(["{", *lines, ' "models": [', models, " ]", "}", ""])


def main() -> None:
    """Write the file, once the product's own parser has read it, and say what it lacks."""
    parser = argparse.ArgumentParser(description="Write the shipped model price list.")
    parser.add_argument("--as-of", type=date.fromisoformat, default=datetime.now(tz=UTC).date())
    as_of: date = parser.parse_args().as_of
    text, lacking = build(as_of=as_of)
    models = parse_price_list(text, source=SHIPPED_PRICE_LIST.name).models
    SHIPPED_PRICE_LIST.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(models)} models as of {as_of}\n")
    for reason, count in sorted(lacking.items()):
        sys.stdout.write(f"{count} left out: {reason}\n")


if __name__ == "__main__":
    main()
