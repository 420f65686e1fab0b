"""Where rollups and counters of an account are not what its events come to."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from billing.usage.counter_figures import COUNTER_COMPARISON
from billing.usage.figures import ROLLUPS, Rollup


def differences_of(*, account_id: UUID, period_start: datetime | None) -> list[str]:
    """One line for each figure that is wrong, of one period or of all; empty if none is.

    What no worker has folded yet is counted in, and each comparison sees one moment, so that it is exact also while
    usage comes in and is folded. It reads all the account's events.
    """
    values = {"account": account_id, "start": period_start}
    lines = [line for name, rollup in ROLLUPS.items() for line in _of_rollup(name, rollup, values)]
    return lines + [_of_counter(row) for row in _rows(COUNTER_COMPARISON, values)]


def _of_rollup(name: str, rollup: Rollup, values: dict[str, Any]) -> Iterator[str]:
    for _, start, *rest, was, due in _rows(rollup.comparison, values):
        place = " ".join(str(part) or "–" for part in rest)
        for column, before, after in zip(rollup.values, was, due, strict=True):
            if before != after:
                yield f"{name} rollup from {start:%Y-%m-%d %H:%M}, {place}: {column} is {before}, events say {after}"


def _of_counter(row: tuple[Any, ...]) -> str:
    feature, subject, start, was, due = row
    whose = f" of {subject}" if subject else ""
    return f"counter {feature}{whose} from {start:%Y-%m-%d %H:%M}: used is {was:f}, events say {due:f}"


def _rows(query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
