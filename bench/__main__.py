"""`make bench` (ARGS="authorize settle ingest export reading closing" for some): the product beside PostgreSQL alone.

The limit is the same SQL by pgbench, COPY of the same table, or a read of one row, in the same run. Every figure is the
median of rounds of limit, product, limit; only the ratios mean anything on another machine. Afterwards the ledger is
checked: speed that loses money is a bug.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg

from bench import closing, ingest, reading, runs
from bench.limits import Limits
from bench.world import ROUNDS, World, running_world
from sandbox.postgres import Postgres

MEASUREMENTS: dict[str, Callable[[World, Limits], None]] = {
    "authorize": runs.authorize,
    "settle": runs.settle,
    "ingest": ingest.ingest,
    "export": reading.export,
    "reading": reading.reading,
    "closing": closing.closing,
}
_ON_RUNS = {"authorize", "settle"}


def main() -> None:
    """Measure what is asked for, or everything, and print a line for each figure."""
    workers, threads = (int(os.environ.get(name, default)) for name, default in (("WORKERS", 2), ("THREADS", 4)))
    asked = sys.argv[1:] or list(MEASUREMENTS)
    with tempfile.TemporaryDirectory(prefix="quaestor-bench-") as name:
        folder = Path(name)
        with Postgres(folder / "postgres", durable=True) as server:
            with running_world(folder, server.url, workers=workers, threads=threads) as world:
                limits = Limits(server.url, folder)
                print(f"granian {workers}×{threads}, synchronous_commit on, median of {ROUNDS} rounds", flush=True)
                if _ON_RUNS.intersection(asked):
                    runs.warm_up(world)
                for measurement in asked:
                    MEASUREMENTS[measurement](world, limits)
            _check(server.url)


def _check(url: str) -> None:
    """What COPY and SQL wrote past the product is taken out of the account; everything else has to add up."""
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
