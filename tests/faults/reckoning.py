"""What a replay must come to, by plain arithmetic over what was sent: no line of the product's has a part in it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.faults.traffic import Batch, Job, Run, happened_at

NANO, MILLION = Decimal("1e-9"), Decimal(1_000_000)
Figures = dict[str, Any]


@dataclass(frozen=True)
class Fact:
    """One usage event that must be there once."""

    customer: str
    product: str
    unit: str
    provider: str
    model: str
    source: str
    quantity: Decimal
    tokens: tuple[int, int, int]
    cost: Decimal
    funding: str
    office: str
    agent: str
    session: str
    user: str
    at: datetime

    @property
    def requests(self) -> int:
        return int(self.product == "llm")

    @property
    def sums(self) -> tuple[Any, ...]:
        return (self.requests, *self.tokens, self.cost)


class Prices:
    """Rates a million tokens and prices a unit, as decimal texts."""

    def __init__(self, rates: dict[str, list[str]], units: dict[str, str]) -> None:
        self._rates, self._units = rates, units

    def of_tokens(self, model: str, fresh: int, cached: int, output: int) -> Decimal:
        full, reduced, out = (Decimal(rate) for rate in self._rates[f"openai/{model}"])
        cost = ((fresh - cached) * full + cached * reduced + output * out) / MILLION
        return cost.quantize(NANO, ROUND_HALF_UP)

    def of_units(self, product: str, quantity: Decimal) -> Decimal:
        return (Decimal(self._units[product]) * quantity).quantize(NANO, ROUND_HALF_UP)


def facts_of(jobs: Iterable[Job], prices: Prices) -> Iterator[Fact]:
    """The events that the jobs must leave behind."""
    for job in jobs:
        if isinstance(job, Batch):
            for event in job.events:
                yield _reported(job.customer, event, prices)
        elif job.end == "settle":
            yield from _ran(job, prices)


def _reported(customer: str, event: dict[str, Any], prices: Prices) -> Fact:
    at = datetime.fromisoformat(event["occurred_at"]).astimezone(UTC)
    place = (event["office"], event["agent"], event["session"], event["user"], at)
    if event["product"] == "pstn":
        quantity = Decimal(event["quantity"])
        cost = prices.of_units("pstn", quantity)
        return Fact(customer, "pstn", "minute", "", "", "none", quantity, (0, 0, 0), cost, "invoice", *place)
    tokens = (event["input_tokens"], event["output_tokens"], event["cached_input_tokens"])
    return _llm(customer, event["model"], tokens, prices, place)


def _ran(run: Run, prices: Prices) -> Iterator[Fact]:
    ask = run.ask
    place = (ask["office"], ask["agent"], ask["session"], ask["user"], happened_at(run))
    tokens = tuple(run.figures[name] for name in ("input_tokens", "output_tokens", "cached_tokens"))
    yield _llm(run.customer, ask["model"], tokens, prices, place)
    if Decimal(run.granted["overage"]) > 0:
        cost = prices.of_units("executions", Decimal(1))
        one = (Decimal(1), (0, 0, 0), cost, "invoice")
        yield Fact(run.customer, "executions", "execution", "", "", "none", *one, *place)


def _llm(customer: str, model: str, tokens: Any, prices: Prices, place: Any) -> Fact:
    fresh, output, cached = tokens
    cost = prices.of_tokens(model, fresh, cached, output)
    funding = "included" if customer == "past" else "credits"
    quantity = Decimal(fresh + output)
    return Fact(customer, "llm", "token", "openai", model, "platform", quantity, tokens, cost, funding, *place)


def reckon(facts: list[Fact], jobs: Iterable[Job], periods: list[datetime], balances: dict[str, Decimal]) -> Figures:
    """All figures of the database's tables, by the names and keys of `readings`."""
    period = {fact: max(start for start in periods if start <= fact.at) for fact in set(facts)}
    meter = {f: (f.customer, period[f], f.product, f.unit, f.provider, f.model, f.source) for f in set(facts)}
    runs = [job for job in jobs if isinstance(job, Run)]
    return {
        "events": _sum((f.customer, f.funding, 1, f.cost) for f in facts),
        "periods": _sum((*meter[f], f.quantity, *f.sums) for f in facts),
        "days": _sum((*meter[f], f.at.date(), f.quantity, *f.sums) for f in facts),
        "places": _sum((f.customer, period[f], f.office, f.agent, *f.sums) for f in facts),
        "sessions": _sum((f.customer, period[f], f.session, f.office, f.agent, *f.sums) for f in facts),
        "session spans": _spans(facts, period),
        "counters": _counters(facts, period),
        "money": {name: _money(name, facts, balance) for name, balance in balances.items()},
        "runs": _sum((run.customer, _STATES[run.end], 1) for run in runs),
        "slots": _sum((run.customer, run.ask["session"], 1, 0) for run in runs),
        "left over": (0, 0, 0, 0),
    }


_STATES = {"settle": "settled", "void": "voided", "leave": "expired"}
_SUMMED = (int, Decimal)


def _sum(rows: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Rows added up: what is a number is a figure, what is not is the key."""
    sums: defaultdict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in rows:
        key = tuple(value for value in row if not isinstance(value, _SUMMED))
        figures = [value for value in row if isinstance(value, _SUMMED)]
        sums[key] = [a + b for a, b in zip(sums[key] or [0] * len(figures), figures, strict=True)]
    return {key: tuple(figures) for key, figures in sums.items()}


def _spans(facts: list[Fact], period: dict[Fact, datetime]) -> dict[tuple[Any, ...], tuple[datetime, datetime]]:
    times: defaultdict[tuple[Any, ...], list[datetime]] = defaultdict(list)
    for fact in facts:
        times[fact.customer, period[fact], fact.session].append(fact.at)
    return {key: (min(at), max(at)) for key, at in times.items()}


def _counters(facts: list[Fact], period: dict[Fact, datetime]) -> dict[tuple[Any, ...], Any]:
    rows: list[tuple[Any, ...]] = []
    for fact in facts:
        name, start = fact.customer, period[fact]
        day = fact.at.replace(hour=0, minute=0, second=0, microsecond=0)
        rows.append((name, "spend_cap_per_day", "", day, fact.cost))
        if fact.product == "llm":
            rows.append((name, "executions_per_month", "", start, Decimal(1)))
            rows.append((name, "tokens_per_month", "", start, fact.quantity))
            if fact.user:
                rows.append((name, "spend_cap_per_user_day", fact.user, day, fact.cost))
        if fact.product == "executions":
            rows.append((name, "overage", "", start, fact.cost))
    return _sum(rows)


def _money(name: str, facts: list[Fact], balance: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    """Balance, holds and debt: credits pay for as long as there are any, everything else is owed."""
    by_credits = sum((f.cost for f in facts if f.customer == name and f.funding == "credits"), Decimal(0))
    by_invoice = sum((f.cost for f in facts if f.customer == name and f.funding == "invoice"), Decimal(0))
    paid = min(balance, by_credits)
    return balance - paid, Decimal(0), by_credits - paid + by_invoice
