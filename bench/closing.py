"""Closing a thousand accounts in one run: on a million events (BENCH_EVENTS), and on a tenth of them."""

from bench.history import EVENTS, add_history
from bench.limits import Limits
from bench.product import product
from bench.world import ACCOUNTS, World


def closing(world: World, limits: Limits) -> None:
    """Seconds until each account has its invoice, for a month with few events, then for one with ten times as many.

    A closing is one transaction an account with some twenty statements, read from rollups.
    """
    product(world.database_url, "open_cycles")
    took = [_close(world, events, month) for month, events in enumerate([EVENTS // 10, EVENTS])]
    print(f"{'closing, ten times as many':28} {took[1] / took[0]:5.2f} of the time")


def _close(world: World, events: int, month: int) -> float:
    add_history(world.database_url, accounts=ACCOUNTS, each=events // ACCOUNTS, months=month)
    done: dict[str, float] = product(world.database_url, "closing")
    if done["invoices"] < ACCOUNTS:
        raise SystemExit(f"{done['invoices']:.0f} invoices of {ACCOUNTS} accounts were issued.")
    print(
        f"{f'closing, {events:,} events':28} {done['seconds']:9.2f} s   {done['invoices']:,.0f} invoices   "
        f"{done['invoices'] / done['seconds']:7.1f} a second"
    )
    return done["seconds"]
