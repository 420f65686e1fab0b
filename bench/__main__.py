"""`make bench` (ARGS="authorize settle ingest" for some): the hot paths, as ratios to what PostgreSQL alone does.

The limit is the same SQL by pgbench, or COPY into the same table, in the same run.

Every figure is the median of rounds of limit, HTTP, limit; only the ratios mean anything on another machine. Afterwards
the ledger is checked: speed that loses money is a bug.
"""

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

import psycopg

from bench.http_load import Load, measure, request
from bench.limits import Limits
from bench.world import ACCOUNTS, World, running_world
from sandbox.postgres import Postgres

CLIENTS = 16
ROUNDS = 3
SECONDS = 3
MOST_PER_CLIENT = 600  # a second: requests that are made before the clock starts
_fresh = count()

Measurement = Callable[[World, Limits], None]


def main() -> None:
    """Measure everything and print a table."""
    workers, threads = (int(os.environ.get(name, default)) for name, default in (("WORKERS", 2), ("THREADS", 4)))
    with tempfile.TemporaryDirectory(prefix="quaestor-bench-") as name:
        folder = Path(name)
        with Postgres(folder / "postgres", durable=True) as server:
            with running_world(folder, server.url, workers=workers, threads=threads) as world:
                limits = Limits(server.url, folder)
                print(
                    f"{CLIENTS} clients, granian {workers}×{threads}, synchronous_commit on, median of {ROUNDS} rounds"
                )
                _warm_up(world)
                for measurement in sys.argv[1:] or MEASUREMENTS:
                    MEASUREMENTS[measurement](world, limits)
            _check(server.url)


def _warm_up(world: World) -> None:
    """Many runs an account: each process has then read every account's terms, as one that has run a while."""
    measure(world.port, [[_authorization(world, hot=False, n=n) for n in range(1200)] for _ in range(CLIENTS)])


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


def _ingest(world: World, limits: Limits) -> None:
    ratios, events = [], []
    for _ in range(ROUNDS):
        before = limits.copy(50_000)
        clients = [[_batch(world) for _ in range(10)] for _ in range(4)]
        load = measure(world.port, clients)
        if any(answer.count(b'"accepted"') != 1000 for answer in load.answers):
            raise SystemExit("Some events were not accepted.")
        after = limits.copy(50_000)
        events.append(load.per_second * 1000)
        ratios.append(load.per_second * 1000 / statistics.mean((before, after)))
    print(
        f"{'ingest, 1,000 a call':28} {statistics.median(events):9,.0f} events/s   "
        f"{statistics.median(ratios):5.2f} of COPY ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def _on_many_and_one(measurement: Callable[..., None]) -> Measurement:
    def both(world: World, limits: Limits) -> None:
        measurement(world, limits, hot=False)
        measurement(world, limits, hot=True)

    return both


MEASUREMENTS: dict[str, Measurement] = {
    "authorize": _on_many_and_one(_authorize),
    "settle": _on_many_and_one(_settle),
    "ingest": _ingest,
}


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
    number = 1 if hot else 1 + (n * 7919 + next(_fresh)) % ACCOUNTS
    body = {
        "workspace": f"w-{number}",
        "idempotency_key": f"bench-{next(_fresh)}",
        "provider": "openai",
        "model": "gpt-4o-mini",
        "agent": "bench",
        "session": "s",
        "input_tokens": 900,
        "max_output_tokens": 400,
    }
    return request("/v1/runtime/authorizations", world.key, json.dumps(body).encode())


def _batch(world: World) -> bytes:
    number = next(_fresh)
    events = [
        {
            "idempotency_key": f"event-{number}-{n}",
            "workspace": f"w-{1 + number % ACCOUNTS}",
            "product": "llm",
            "provider": "openai",
            "model": "gpt-4o-mini",
            "agent": "bench",
            "session": "s",
            "input_tokens": 900,
            "output_tokens": 200,
        }
        for n in range(1000)
    ]
    return request("/v1/usage/events", world.key, json.dumps({"events": events}).encode())


def _check(url: str) -> None:
    """What COPY wrote past the product is taken out of the account; everything else has to add up."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            """
            SELECT (SELECT sum(debits_pending) FROM billing_credits_ledgeraccount),
                   (SELECT COALESCE(sum(held), 0) FROM billing_runtime_authorization WHERE state = 'open'),
                   (SELECT sum(debits_posted) FROM billing_credits_ledgeraccount),
                   (SELECT COALESCE(sum(cost), 0) FROM billing_usage_usageevent
                     WHERE idempotency_key NOT LIKE 'copy-%%')
            """
        ).fetchone()
    if row is None or row[0] != row[1] or row[2] != row[3]:
        sys.exit(f"The ledger does not add up: held {row and row[:2]}, charged {row and row[2:]}.")
    print(f"The ledger adds up: {row[0]:,.6f} held, {row[2]:,.6f} charged.")


if __name__ == "__main__":
    main()
