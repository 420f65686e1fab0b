"""Reporting usage in tests, as the hot endpoint does."""

from datetime import datetime
from itertools import count
from typing import Any

import msgspec

from billing.usage.inputs import EventResult
from billing.usage.services.ingest_events import ingest_events
from tests.make import AT, Customer

_numbers = count(1)


def report(customer: Customer, *, at: datetime = AT, **fields: Any) -> EventResult:
    """Record one event; by default a thousand tokens in and a hundred out on GPT-4o in the workspace `main`."""
    event: dict[str, Any] = {"idempotency_key": f"event-{next(_numbers)}", "workspace": "main", "product": "llm"}
    if fields.get("product", "llm") == "llm":
        event |= {"provider": "openai", "model": "gpt-4o", "input_tokens": 1000, "output_tokens": 100}
    raw = msgspec.Raw(msgspec.json.encode(event | fields))
    (result,) = ingest_events(caller=customer.key.caller, events=[raw], at=at)
    assert result.status == "accepted", result
    return result
