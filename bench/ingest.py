"""Usage reported over HTTP in calls of a thousand events, as a ratio to COPY into the same table.

The events of a call differ as a customer's do: in tokens, and in model and session, each session being one agent's.
COPY has it easier than they do: all its rows are one account's.
"""

import json
import statistics
from datetime import UTC, datetime
from itertools import count

from bench.http_load import measure, request
from bench.limits import Limits
from bench.world import ACCOUNTS, ROUNDS, World

CLIENTS = 4
CALLS = 20
ROWS = 50_000
_MODELS = ("gpt-4o-mini", "gpt-4o", "gpt-4.1-mini")
_fresh = count()


def warm_up(world: World) -> None:
    """An event of each account, several times: each process has then read every account's terms."""
    events = [_event(f"warm-{n}", 1 + n % ACCOUNTS, n, "2026-01-01T00:00:00Z") for n in range(ACCOUNTS)]
    calls = [
        request("/v1/usage/events", world.key, json.dumps({"events": events}).encode()) for _ in range(2 * CLIENTS)
    ]
    measure(world.port, [calls[client::CLIENTS] for client in range(CLIENTS)])


def ingest(world: World, limits: Limits) -> None:
    """Rounds of COPY, HTTP, COPY."""
    warm_up(world)
    ratios, events = [], []
    for _ in range(ROUNDS):
        before = limits.copy(ROWS)
        load = measure(world.port, [[_call(world) for _ in range(CALLS)] for _ in range(CLIENTS)])
        if any(answer.count(b'"accepted"') != 1000 for answer in load.answers):
            raise SystemExit("Some events were not accepted.")
        after = limits.copy(ROWS)
        events.append(load.per_second * 1000)
        ratios.append(load.per_second * 1000 / statistics.mean((before, after)))
    print(
        f"{'ingest, 1,000 a call':28} {statistics.median(events):9,.0f} events/s   "
        f"{statistics.median(ratios):5.2f} of COPY ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def _call(world: World) -> bytes:
    number = next(_fresh)
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    events = [_event(f"event-{number}-{n}", 1 + number % ACCOUNTS, n, at) for n in range(1000)]
    return request("/v1/usage/events", world.key, json.dumps({"events": events}).encode())


def _event(key: str, account: int, n: int, at: str) -> dict[str, str | int]:
    session = n % 50
    return {
        "idempotency_key": key,
        "workspace": f"w-{account}",
        "product": "llm",
        "provider": "openai",
        "model": _MODELS[n % 3],
        "agent": f"agent-{session % 7}",
        "session": f"s-{session}",
        "input_tokens": 900 + n,
        "output_tokens": 200 + n % 17,
        "occurred_at": at,
    }
