"""A history of random usage, and its sums in plain Python: what rollups and readings must come to."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model
from hypothesis import strategies as st

from billing.usage.models import PeriodRollup, PlaceRollup, SessionRollup, UsageEvent, UsageRollup
from tests.make import AT
from tests.money_make import event

DAY = timedelta(days=1)
Sums = dict[tuple[Any, ...], tuple[Any, ...]]

METER = ["workspace_id", "product", "unit", "provider", "model", "credential_source"]
METER_SUMS = ["requests", "quantity", "input_tokens", "output_tokens", "cached_input_tokens", "cost"]
PLACE_SUMS = ["requests", "input_tokens", "output_tokens", "cached_input_tokens", "cost", "own_key_cost"]
# Each rollup's dimensions after the period, and what it adds up.
ROLLUPS: dict[type[Model], tuple[list[str], list[str]]] = {
    PeriodRollup: (METER, METER_SUMS),
    UsageRollup: (["day", *METER], METER_SUMS),
    PlaceRollup: (["workspace_id", "office", "agent"], PLACE_SUMS),
    SessionRollup: (["workspace_id", "session"], PLACE_SUMS),
}


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """A model's or a telephone's usage of the last weeks, in one of two workspaces, with or without names."""
    amount, days = draw(st.integers(0, 5000)), draw(st.integers(0, 70))
    place = {
        "workspace": draw(st.sampled_from(["main", "second"])),
        "occurred_at": (AT - days * DAY / 2).isoformat(),
        "office": draw(st.sampled_from(["", "sales"])),
        "agent": draw(st.sampled_from(["", "ada", "bob"])),
        "session": draw(st.sampled_from(["", "s1", "s2"])),
    }
    what = draw(st.sampled_from(["gpt-4o", "gpt-4o-mini", "pstn"]))
    if what == "pstn":
        return event(product=what, quantity=str(Decimal(amount) / 8), **place)
    cached = draw(st.integers(0, amount))
    return event(model=what, input_tokens=amount, output_tokens=amount // 2, cached_input_tokens=cached, **place)


def plain_sums(account_id: UUID, dimensions: list[str], sums: list[str]) -> Sums:
    """Sums over the account's events by period and these dimensions."""
    found: defaultdict[tuple[Any, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * len(sums))
    for one in UsageEvent.objects.filter(account_id=account_id):
        if "session" in dimensions and not one.session:
            continue
        values = {
            "day": one.occurred_at.date(),
            "requests": (1 if one.reverses_id is None else -1) * (one.product == "llm"),
            "own_key_cost": one.cost * (one.credential_source == "byok"),
        }
        key = (one.period_start, *(values.get(name, getattr(one, name, None)) for name in dimensions))
        more = [values.get(name, getattr(one, name, None)) for name in sums]
        found[key] = [before + new for before, new in zip(found[key], more, strict=True)]
    return {key: tuple(row) for key, row in found.items()}


def held(account_id: UUID, rollup: type[Model], dimensions: list[str], sums: list[str]) -> Sums:
    """What a rollup says of the account."""
    rows = rollup._default_manager.filter(account_id=account_id)
    width = 1 + len(dimensions)
    return {row[:width]: row[width:] for row in rows.values_list("period_start", *dimensions, *sums)}


def of_readings(period_start: object, rows: Iterable[object], dimensions: list[str], sums: list[str]) -> Sums:
    """What readings of one period say, in the same form."""
    return {
        (period_start, *(getattr(row, name) for name in dimensions)): tuple(getattr(row, name) for name in sums)
        for row in rows
    }


def rows_read(query: str) -> int:
    """Rows that a captured query reads from tables, whatever it then makes of them."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + query.replace("%", "%%"), [])
        ((((plan,),),),) = [cursor.fetchall()]
    return _scanned(plan["Plan"])


def _scanned(node: dict[str, Any]) -> int:
    """Rows that a plan has read from tables."""
    own = 0
    if "Relation Name" in node:
        own = round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
    return own + sum(_scanned(child) for child in node.get("Plans", []))
