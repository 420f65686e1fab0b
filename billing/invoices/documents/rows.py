"""The table of a document: its lines in groups, with what each model comes to."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

from billing.core.money import round_to_minor
from billing.core.money_texts import write_count
from billing.invoices.documents.facts import GroupFacts, PartFacts, RowFacts
from billing.invoices.documents.formats import exact_money, money, plain, quantity, span
from billing.invoices.models import InvoiceLine

_Kind = InvoiceLine.Kind
_GROUPS = {
    _Kind.SUBSCRIPTION: "Plan",
    _Kind.PRORATION: "Plan",
    _Kind.USAGE: "Usage",
    _Kind.OVERAGE: "Usage",
    _Kind.ADJUSTMENT: "Adjustments to earlier periods",
    _Kind.CORRECTION: "Corrections",
    _Kind.CREDIT: "Credits",
    _Kind.OTHER: "Other",
}
_ORDER = list(dict.fromkeys(_GROUPS.values()))
_OF_A_STRETCH = frozenset({_Kind.SUBSCRIPTION, _Kind.PRORATION})


def table_of(lines: Iterable[InvoiceLine], currency: str) -> tuple[GroupFacts, ...]:
    """Group lines by what they are about; within a group they keep their places."""
    ordered = sorted(lines, key=lambda line: (_place(line), line.place))
    return tuple(
        GroupFacts(_ORDER[place], tuple(_row(line, currency) for line in group))
        for place, group in groupby(ordered, key=_place)
    )


def _place(line: InvoiceLine) -> int:
    return _ORDER.index(_GROUPS[_Kind(line.kind)])


def _row(line: InvoiceLine, currency: str) -> RowFacts:
    is_free = line.funding in {"included", "provider"}
    return RowFacts(
        name=plain(line.description),
        note=_note(line, currency),
        quantity=_quantity(line),
        amount=money(line.amount, currency),
        is_free=is_free,
        parts=_parts(line.details, currency, is_free=is_free),
    )


def _note(line: InvoiceLine, currency: str) -> str:
    """The days of a plan's line; of a correction why it credits less than was taken back."""
    if line.kind in _OF_A_STRETCH:
        return span(line.period_start, line.period_end)
    taken_back = round_to_minor(line.rated, currency)
    if line.kind != _Kind.CORRECTION or taken_back == line.amount:
        return ""
    back, credited = money(-taken_back, currency), money(-line.amount, currency)
    return f"{back} was taken back; {credited} of it could still be credited on the invoice"


def _quantity(line: InvoiceLine) -> str:
    if not line.product:
        return quantity(line.quantity, "") if line.quantity != 1 else ""
    return quantity(line.quantity, line.unit)


def _parts(details: Iterable[Mapping[str, Any]], currency: str, *, is_free: bool) -> tuple[PartFacts, ...]:
    models = list(details)
    amounts = exact_money((Decimal(str(model["cost"])) for model in models), currency)
    return tuple(
        PartFacts(_model_name(model), _figures(model), "" if is_free else amount)
        for model, amount in zip(models, amounts, strict=True)
    )


def _model_name(model: Mapping[str, Any]) -> str:
    return " · ".join(filter(None, (plain(model.get("model", "")), plain(model.get("provider", "")))))


def _figures(model: Mapping[str, Any]) -> str:
    """What was asked of a model, as in "1,200 requests · 1,000,000 tokens in (400,000 cached) · 52,000 out"."""
    requests, fresh, output, cached = (
        int(model.get(name, 0)) for name in ("requests", "input_tokens", "output_tokens", "cached_input_tokens")
    )
    cache = f" ({write_count(cached)} cached)" if cached else ""
    return f"{quantity(requests, 'request')} · {write_count(fresh)} tokens in{cache} · {write_count(output)} out"
