"""Which grant a spent amount comes from: by priority, then earliest expiry, then age (M6). Pure."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TypeVar

Lot = TypeVar("Lot")


def burn_down(lots: Iterable[tuple[Lot, Decimal]], spent: Decimal) -> Iterator[tuple[Lot, Decimal]]:
    """Pairs of a lot and what it gives, for lots with what remains of them, in burning order.

    Raises ValueError when the lots do not hold as much as was spent: the ledger would not add up.
    """
    for lot, remaining in lots:
        if spent <= 0:
            return
        taken = min(remaining, spent)
        spent -= taken
        if taken > 0:
            yield lot, taken
    if spent > 0:
        raise ValueError(f"{spent} was spent beyond what the grants hold.")
