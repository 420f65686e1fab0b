"""A period's cost cut one way: a bar chart that is a table (U5, U7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.console.figures import format_count
from billing.console.pages.usage_parts import Part, by_cost
from billing.usage.sums import Totals

SHOWN, MOST = 10, 500


@dataclass(frozen=True, slots=True)
class View:
    """A way to cut the cost. `key` is what addresses call it; `noun` and `plural` name its rows."""

    key: str
    noun: str
    plural: str


VIEWS = {
    view.key: view
    for view in (
        View("product", "Product", "products"),
        View("model", "Model", "models"),
        View("workspace", "Workspace", "workspaces"),
        View("office", "Office", "offices"),
        View("agent", "Agent", "agents"),
    )
}


@dataclass(frozen=True, slots=True)
class CostRow:
    """A part with its share of the total in percent, None where it has none, and its bar in percent of the longest."""

    part: Part
    share: Decimal | None
    billed_bar: Decimal
    own_key_bar: Decimal


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The rows of a view, the costliest first; `rest` adds up those that are not listed, `hidden` counts them.

    `shares_own_keys`: nothing is billed, so that shares are of what own keys would have cost.
    """

    view: View
    rows: Sequence[CostRow]
    rest: CostRow | None
    hidden: int
    number: int
    is_cut: bool
    shares_own_keys: bool

    @property
    def has_more(self) -> bool:
        """Whether all of them would be more than are listed when cut."""
        return self.number > SHOWN


def breakdown(view: View, parts: Sequence[Part], totals: Totals, *, show_all: bool) -> Breakdown:
    """The view's chart. Of many rows the first are listed, with `show_all` as many as a page can bear."""
    ordered = by_cost(parts)
    limit = MOST if show_all else SHOWN
    # One hidden row would only be replaced by a row that says so.
    limit = limit + 1 if len(ordered) == limit + 1 else limit
    billed = totals.cost - totals.own_key_cost
    whole = billed or totals.own_key_cost
    longest = max((part.cost for part in ordered), default=Decimal(0))
    rows = [_row(part, billed, whole, longest) for part in ordered[:limit]]
    hidden = ordered[limit:]
    return Breakdown(
        view=view,
        rows=rows,
        rest=_row(_rest(hidden, view), billed, whole, Decimal(0)) if hidden else None,
        hidden=len(hidden),
        number=len(ordered),
        is_cut=bool(hidden) and not show_all,
        shares_own_keys=not billed and bool(totals.own_key_cost),
    )


def _row(part: Part, billed: Decimal, whole: Decimal, longest: Decimal) -> CostRow:
    """Of a bar's parts none is longer than the longest bar, and none negative, as a month's correction may be."""
    of = part.billed if billed else part.own_key_cost
    is_shared = bool(whole) and not (billed and part.own_key_cost and not part.billed)
    own = _percent(part.own_key_cost, longest)
    return CostRow(
        part=part,
        share=of * 100 / whole if is_shared else None,
        billed_bar=min(_percent(part.billed, longest), 100 - own),
        own_key_bar=own,
    )


def _percent(amount: Decimal, longest: Decimal) -> Decimal:
    if longest <= 0:
        return Decimal(0)
    return min(max(amount * 100 / longest, Decimal(0)), Decimal(100))


def _rest(parts: Sequence[Part], view: View) -> Part:
    return Part(
        label=f"{format_count(len(parts))} other {view.plural}",
        detail="",
        requests=sum(part.requests for part in parts),
        tokens=sum(part.tokens for part in parts),
        cost=sum((part.cost for part in parts), start=Decimal(0)),
        own_key_cost=sum((part.own_key_cost for part in parts), start=Decimal(0)),
        is_named=False,
    )
