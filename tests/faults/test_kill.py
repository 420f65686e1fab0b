"""A real trace is replayed while the processes are killed; at the end everything is there once.

`FAULT_REQUESTS` (how much of the trace), `FAULT_KILLS` and `FAULT_SEEDS` (as in `1,2,3`) make it longer.
"""

import os
import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.utils.timezone import now

from tests.conftest import TEMPLATE
from tests.faults.readings import compare, read
from tests.faults.reckoning import Prices, facts_of, reckon
from tests.faults.servers import Servers
from tests.faults.traffic import LANES, Job, Platform, Run, make_jobs

REQUESTS = int(os.environ.get("FAULT_REQUESTS", "500"))
KILLS = int(os.environ.get("FAULT_KILLS", "6"))
SEEDS = [int(seed) for seed in os.environ.get("FAULT_SEEDS", "1").split(",")]
VICTIMS = ("worker", "backend", "web worker", "postmaster", "backend", "web")
OWING = Decimal("0.05")  # less than that customer's usage costs
DAYS = 40  # since the customers signed up: their second period


def template_url() -> str:
    server, _, query = os.environ["DATABASE_URL"].partition("?")
    return f"{server.rpartition('/')[0]}/{os.environ[TEMPLATE]}" + (f"?{query}" if query else "")


@pytest.mark.usefixtures("django_db_modify_db_settings")
@pytest.mark.parametrize("seed", SEEDS)
def test_spend_lost_between_cache_and_database(seed: int, tmp_path: Path) -> None:
    """Limits, U2, U4, M2: whatever is killed whenever, all figures are those of plain arithmetic, to the last digit."""
    servers = Servers(tmp_path, template_url())
    try:
        replay(servers, seed)
    finally:
        servers.stop()


def replay(servers: Servers, seed: int) -> None:
    chance = random.Random(seed)
    began = now()
    jobs = make_jobs(REQUESTS, began - timedelta(minutes=10), chance)
    opened = (began - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    limited = sum(isinstance(job, Run) and job.customer == "past" for job in jobs) // 2
    world = servers.step("prepare", {"opened": opened.isoformat(), "executions": limited, "owing_balance": str(OWING)})
    servers.mend()
    servers.wait_until_ready()
    platform = Platform(servers.url, {name: one["key"] for name, one in world["customers"].items()})
    with closing(platform):
        send_all(platform, jobs, Killer(servers, platform, calls=calls_of(jobs), chance=chance).step)
        send_all(platform, jobs, servers.mend)  # everything once more
    check(servers, world, jobs, opened, limited)
    print(f"seed {seed}: {KILLS} kills, {platform.answered} answers, tried again after {dict(platform.failures)}")


def calls_of(jobs: list[Job]) -> int:
    return sum(2 if isinstance(job, Run) and job.end != "leave" else 1 for job in jobs)


def send_all(platform: Platform, jobs: list[Job], meanwhile: Callable[[], None]) -> None:
    """Send jobs from all lanes; raises what went wrong with any."""
    with ThreadPoolExecutor(LANES) as pool:
        waiting = {pool.submit(platform.send, job) for job in jobs}
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=0.005, return_when=FIRST_COMPLETED)
                for one in done:
                    one.result()
                meanwhile()
        except BaseException:
            platform.give_up()
            pool.shutdown(cancel_futures=True)
            raise


class Killer:
    """Kills one victim after the other when so many calls have been answered, each at a random moment after that."""

    def __init__(self, servers: Servers, platform: Platform, *, calls: int, chance: random.Random) -> None:
        self._servers, self._platform, self._chance = servers, platform, chance
        victims = [VICTIMS[number % len(VICTIMS)] for number in range(KILLS)]
        chance.shuffle(victims)
        self._plan = list(zip(sorted(chance.sample(range(LANES, calls - 2 * LANES), KILLS)), victims, strict=True))
        self._hold_back()

    def step(self) -> None:
        if self._plan and self._platform.answered >= self._plan[0][0]:
            time.sleep(self._chance.uniform(0, 0.05))
            self._servers.kill(self._plan.pop(0)[1], self._chance)
            self._hold_back()
        self._servers.mend()

    def _hold_back(self) -> None:
        """Some calls are under way at the next kill, and the others are still to come."""
        self._platform.ahead = self._plan[0][0] + 2 * LANES if self._plan else sys.maxsize


def check(servers: Servers, world: dict[str, Any], jobs: list[Job], opened: datetime, limited: int) -> None:
    servers.stop_workers()
    done = servers.step("finish", {"minutes": 16})
    assert done["findings"] == []
    assert not servers.found.exists() or not servers.found.read_text(encoding="utf-8")
    runs = [job for job in jobs if isinstance(job, Run)]
    past_limit = sum(Decimal(run.granted["overage"]) > 0 for run in runs)
    assert past_limit == sum(run.customer == "past" for run in runs) - limited
    facts = list(facts_of(jobs, Prices(world["rates"], world["prices"])))
    periods = [opened + relativedelta(months=n) for n in range(3)]
    balances = {"paid": Decimal(9000), "past": Decimal(0), "owing": OWING}
    names = {one["account"]: name for name, one in world["customers"].items()}
    assert compare(read(servers.database_url, names, now()), reckon(facts, jobs, periods, balances)) == []
