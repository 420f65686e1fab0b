"""Authorize and settle over HTTP, as ratios to the same SQL by pgbench.

Runs are spread over sessions and differ in size: one session with equal runs would be stopped as a loop (M9).
"""

import json
import statistics
from collections.abc import Callable
from itertools import count

from bench.http_load import Load, measure, request
from bench.limits import Limits
from bench.world import ACCOUNTS, ROUNDS, World

CLIENTS = 16
SECONDS = 3
MOST_PER_CLIENT = 600  # a second: requests that are made before the clock starts
SESSIONS = 64
_fresh = count()


def warm_up(world: World) -> None:
    """Many runs an account: each process has then read every account's terms, as one that has run a while."""
    measure(world.port, [[_authorization(world, hot=False, n=n) for n in range(1200)] for _ in range(CLIENTS)])


def authorize(world: World, limits: Limits) -> None:
    """Runs that start, spread over the accounts and all on one."""
    for hot in (False, True):
        _authorize(world, limits, hot=hot)


def settle(world: World, limits: Limits) -> None:
    """Runs that end, spread over the accounts and all on one."""
    for hot in (False, True):
        _settle(world, limits, hot=hot)


def _authorize(world: World, limits: Limits, *, hot: bool) -> None:
    def http() -> Load:
        clients = [
            [_authorization(world, hot=hot, n=n) for n in range(SECONDS * MOST_PER_CLIENT)] for _ in range(CLIENTS)
        ]
        return measure(world.port, clients, seconds=SECONDS)

    _compare("authorize", hot, lambda: limits.authorize(hot=hot, clients=CLIENTS, seconds=SECONDS), http)


def _settle(world: World, limits: Limits, *, hot: bool) -> None:
    runs = CLIENTS * 250

    def http() -> Load:
        body = json.dumps({"input_tokens": 900, "output_tokens": 200}).encode()
        made = [
            request(f"/v1/runtime/authorizations/auth_{run.hex}/settle", world.key, body)
            for run in limits.open_runs(hot=hot, runs=runs)
        ]
        return measure(world.port, [made[client::CLIENTS] for client in range(CLIENTS)])

    _compare("settle", hot, lambda: limits.settle(hot=hot, clients=CLIENTS, runs=runs), http)


def _compare(name: str, hot: bool, limit: Callable[[], float], http: Callable[[], Load]) -> None:
    ratios, loads, noisy = [], [], False
    for _ in range(ROUNDS):
        before, load, after = limit(), http(), limit()
        noisy |= max(before, after) > 1.3 * min(before, after)
        ratios.append(load.per_second / statistics.mean((before, after)))
        loads.append(load)
    where = "one hot account" if hot else f"{ACCOUNTS:,} accounts"
    middle = sorted(loads, key=lambda load: load.per_second)[len(loads) // 2]
    print(
        f"{name + ', ' + where:28} {middle.per_second:9,.0f} /s  p50 {middle.p50:5.1f} ms  p99 {middle.p99:5.1f} ms   "
        f"{statistics.median(ratios):5.2f} of pgbench ({min(ratios):.2f} to {max(ratios):.2f})"
        f"{'  noisy' if noisy else ''}"
    )


def _authorization(world: World, *, hot: bool, n: int) -> bytes:
    fresh = next(_fresh)
    number = 1 if hot else 1 + (n * 7919 + fresh) % ACCOUNTS
    body = {
        "workspace": f"w-{number}",
        "idempotency_key": f"bench-{fresh}",
        "provider": "openai",
        "model": "gpt-4o-mini",
        "agent": "bench",
        "session": f"s-{fresh % SESSIONS}",
        "input_tokens": 900 + fresh % 1000,
        "max_output_tokens": 400,
    }
    return request("/v1/runtime/authorizations", world.key, json.dumps(body).encode())
