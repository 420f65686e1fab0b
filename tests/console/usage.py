"""Usage by several places, sessions and models, to look at."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any

from django.test import Client

from tests.console.make import ingest
from tests.make import AT, Customer

_numbers = count(1)
CALL: dict[str, Any] = {
    "workspace": "main",
    "product": "llm",
    "provider": "openai",
    "model": "gpt-4o",
    "input_tokens": 1000,
    "output_tokens": 200,
}
"""A call that costs $0.0045."""


def make_event(customer: Customer, *, at: datetime = AT, **values: Any) -> None:
    """A call of gpt-4o with something of it otherwise."""
    make_events(customer, [values], at=at)


def make_events(customer: Customer, events: Sequence[dict[str, Any]], *, at: datetime = AT) -> None:
    """Calls of gpt-4o, recorded at once, each otherwise in something."""
    keyed = [CALL | {"idempotency_key": f"used-{next(_numbers)}", "occurred_at": at} | event for event in events]
    ingest(customer, keyed, at=at)


def breakdown_rows(client: Client, query: str) -> list[tuple[str, str, str]]:
    """Label, detail and cost of each row that the usage page lists."""
    rows = client.get(f"/usage/?{query}").context["page"].breakdown.rows
    return [(row.part.label, row.part.detail, str(row.part.cost)) for row in rows]
