"""Reading periods, and exporting one: on a million events and on five (BENCH_EVENTS: how many first)."""

import http.client
import time
from contextlib import closing
from pathlib import Path

from bench.history import EVENTS, add_history
from bench.limits import Limits
from bench.product import product
from bench.world import ACCOUNTS, World

_EXPORTED = "COPY (SELECT * FROM billing_usage_usageevent WHERE account_id = '{}' AND period_start = '{}' ORDER BY id)"


def reading(world: World, limits: Limits) -> None:
    """A period of one account among a thousand, as a multiple of reading one row."""
    add_history(world.database_url, accounts=ACCOUNTS, each=EVENTS // ACCOUNTS)
    few = _figures(world, EVENTS)
    add_history(world.database_url, accounts=ACCOUNTS, each=4 * EVENTS // ACCOUNTS)
    many = _figures(world, 5 * EVENTS)
    print(f"{'reading, five times as many':28} {many / few:5.2f} of the time beside one row's")


def _figures(world: World, events: int) -> float:
    read: dict[str, float] = product(world.database_url, "reading")
    ratio = read["meters"] / read["single"]
    print(
        f"{f'reading, {events:,} events':28} {read['meters']:9.2f} ms   one row {read['single']:.2f} ms   "
        f"{ratio:5.2f} times one row"
    )
    return ratio


def export(world: World, limits: Limits) -> None:
    """A million events of one account as CSV over HTTP, as a ratio to COPY TO STDOUT; and the server's memory."""
    add_history(world.database_url, accounts=1, each=EVENTS)
    account, start = limits.row(
        "SELECT id, date_trunc('day', signed_up_at) FROM billing_subscriptions_billingaccount ORDER BY id LIMIT 1"
    )
    workspace = limits.row(
        "SELECT w.slug FROM tenants_workspace w JOIN billing_subscriptions_workspacebilling b ON "
        f"b.workspace_id = w.id WHERE b.account_id = '{account}'"
    )[0]
    path = f"/v1/usage/export?workspace={workspace}"
    for _ in range(8):  # nothing there: each process has its code loaded, most likely
        _download(world, f"{path}&period=previous")
    before = _peak_memory(world.web)
    lines, size, took = _download(world, path)
    after = _peak_memory(world.web)
    copied = limits.copy_out(_EXPORTED.format(account, start))
    rate = lines / took
    print(
        f"{f'export, {lines - 1:,} events':28} {rate:9,.0f} events/s   {size / took / 1e6:.0f} MB/s   "
        f"{rate / copied:5.2f} of COPY   peak memory of a process {before:.0f} MB before, {after:.0f} MB after"
    )


def _download(world: World, path: str) -> tuple[int, int, float]:
    """Lines, bytes and seconds."""
    began, lines, size = time.perf_counter(), 0, 0
    with closing(http.client.HTTPConnection("127.0.0.1", world.port)) as client:
        client.request("GET", path, headers={"Authorization": f"Bearer {world.key}"})
        answer = client.getresponse()
        if answer.status != http.client.OK:
            raise SystemExit(f"The export was refused: {answer.read()!r}")
        while part := answer.read(1 << 20):
            lines += part.count(b"\n")
            size += len(part)
    return lines, size, time.perf_counter() - began


def _peak_memory(parent: int) -> float:
    """The largest resident set that a worker of the server has had, in megabytes."""
    workers = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    peaks = [
        line for pid in workers for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmHWM" in line
    ]
    return max(int(line.split()[1]) for line in peaks) / 1024
