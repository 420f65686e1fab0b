"""A real request trace as the demo tenant's usage.

The trace's hour is stretched over five days that end when the demo was made, so that its bursts can be seen day by
day. Token counts are the trace's own. Model, office, agent and session are not in the trace: they are dealt out to the
requests by their position, the same way every time.
"""

import csv
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from django.utils.timezone import now

from billing.subscriptions.queries import default_account
from billing.usage.models import UsageEvent
from billing.usage.services.ingest_events import ingest_events
from sandbox.demo.people import AGENTS, replay_caller
from tenants.models import Tenant

TRACE = Path(__file__).parent.parent / "data" / "azure_llm_conv_2023.csv"
REQUESTS = 19_366
STRETCH = 120  # the trace's hour becomes five days
_BATCH = 1000
_MODELS = (
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet-4-5"),
    ("openai", "gpt-4o"),
    ("google", "gemini-2.5-flash"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-haiku-4-5"),
    ("openai", "gpt-5-mini"),
)
_AGENTS = [(office, agent) for office, agents in AGENTS.items() for agent in agents]
_TURNS = 12  # requests of one session


def read_trace() -> list[tuple[timedelta, int, int]]:
    """The trace's requests: time before the last one, context tokens, generated tokens."""
    with TRACE.open(encoding="utf-8") as file:
        rows = [
            (datetime.fromisoformat(row["TIMESTAMP"][:26]), int(row["ContextTokens"]), int(row["GeneratedTokens"]))
            for row in csv.DictReader(file)
        ]
    last = max(at for at, _, _ in rows)
    return [(last - at, context, generated) for at, context, generated in rows]


def trace_is_recorded(tenant: Tenant) -> bool:
    """Whether every request of the trace is among the tenant's events."""
    account = default_account(tenant.id)
    recorded = UsageEvent.objects.filter(account_id=account.id, idempotency_key__startswith="trace-")
    return recorded.count() == REQUESTS


def replay(tenant: Tenant, *, workspace: str, until: datetime) -> None:
    """Report the trace in batches, as a platform would; batches that were recorded before are counted once."""
    caller = replay_caller(tenant)
    events = trace_events(workspace, until)
    sent = 0
    while batch := list(islice(events, _BATCH)):
        results = ingest_events(caller=caller, events=[msgspec.Raw(msgspec.json.encode(e)) for e in batch], at=now())
        refused = [result for result in results if result.status not in {"accepted", "duplicate"}]
        if refused:
            sys.exit(f"The replay was refused: {refused[0]}")
        sent += len(batch)
        _show_progress(sent)


def trace_events(workspace: str, until: datetime) -> Iterator[dict[str, Any]]:
    """The trace as usage events of a workspace, the last one at `until`."""
    for number, (before, context, generated) in enumerate(read_trace()):
        provider, model = _MODELS[number % len(_MODELS)]
        session = number // _TURNS
        office, agent = _AGENTS[session % len(_AGENTS)]
        yield {
            "idempotency_key": f"trace-{number}",
            "workspace": workspace,
            "product": "llm",
            "provider": provider,
            "model": model,
            "input_tokens": context,
            "output_tokens": generated,
            "office": office,
            "agent": agent,
            "session": f"trace-session-{session}",
            "occurred_at": (until - before * STRETCH).isoformat(),
        }


def _show_progress(sent: int) -> None:
    end = "\n" if sent == REQUESTS else ""
    start = "\r" if sys.stdout.isatty() else ""
    if start or end:
        print(f"{start}  replaying the trace: {sent:,} of {REQUESTS:,} requests", end=end, flush=True)
