"""Runs and usage from many connections and processes at once: nothing overspent, nothing lost, nothing twice."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.utils.timezone import now

from billing.core.ids import decode_id
from billing.core.problems import Problem
from billing.credits.models import Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.runtime.models import Authorization
from billing.runtime.services.expire_holds import expire_holds
from billing.subscriptions.services.override_entitlement import override_entitlement
from billing.subscriptions.services.subscribe import subscribe
from billing.usage.models import Counter as UsageCounter
from billing.usage.models import UsageDelta, UsageEvent
from tests.make import AT, Customer, make_account, make_credits, make_customer, make_workspace
from tests.money_make import abandon, event, finish, in_threads, money_of, report, reread, start, statuses

pytestmark = pytest.mark.usefixtures("own_database")
LATER = AT + timedelta(minutes=20)
_DRIVE = """
import sys, django
django.setup()
from tests.runtime.driver import fork_and_kill
fork_and_kill(sys.argv[1], rounds=4, together=3)
"""


def try_to_start(customer: Customer, **changes: object) -> str:
    """The run's id, or the code of its refusal."""
    try:
        return start(customer, **changes).id
    except Problem as refusal:
        return refusal.code


def assert_charged_in_full(customer: Customer) -> None:
    """What all events cost stands in the ledger once, paid or owed, and the ledger adds up."""
    cost = UsageEvent.objects.filter(account_id=customer.account.id).aggregate(sum=Sum("cost"))["sum"]
    usage = Transfer.objects.filter(reason="usage", phase__in=["posted", "post_pending"])
    sides = [customer.account.credits_id, customer.account.receivable_id]
    assert usage.filter(debit_account__in=sides).aggregate(sum=Sum("amount"))["sum"] == cost
    assert check_ledger(at=LATER) == []


def test_concurrent_requests_pass_a_budget_check() -> None:
    """Limits: credits for twenty runs admit twenty of a hundred that ask at once, and not a nano-dollar more."""
    customer = make_customer(balance="0.157499999")  # a nano-dollar short of twenty-one
    answers = in_threads(lambda _: try_to_start(customer), 100)
    granted = [answer for answer in answers if answer.startswith("auth_")]
    assert (len(granted), set(answers) - set(granted)) == (20, {"insufficient-credits"})
    assert money_of(customer.account) == ("0.157499999", "0.15", "0")
    in_threads(lambda number: finish(customer, granted[number]), 20)
    assert money_of(customer.account) == ("0.007499999", "0", "0")
    assert_charged_in_full(customer)


def test_executions_pass_no_limit_together() -> None:
    """P6, P7: five executions left admit five of forty that ask at once."""
    customer = make_customer("free")
    override_entitlement(account_id=customer.account.id, feature="executions_per_month", value=5, reason="x", at=AT)
    answers = in_threads(lambda _: try_to_start(customer, model="gpt-4o-mini"), 40)
    assert sum(answer.startswith("auth_") for answer in answers) == 5
    counter = UsageCounter.objects.get(feature="executions_per_month")
    assert (counter.used, counter.reserved) == (0, 5)


def test_sixteen_writers_neither_overspend_nor_lose() -> None:
    """M1, M2, U2: runs settled below and above their holds, voided, and usage reported, at once."""
    customer = make_customer(balance="0.5")

    def work(number: int) -> int:
        outcome = number % 4
        if outcome == 0:
            return len(report(customer, *[event(f"{number}-{part}") for part in range(3)]))
        run = try_to_start(customer)
        if not run.startswith("auth_"):
            return 0
        if outcome == 1:
            abandon(customer, run)
            return 0
        finish(customer, run, 900 + number, random.randrange(1000))
        return 1

    written = sum(in_threads(work, 240))
    assert UsageEvent.objects.count() == written
    prepaid = reread(customer.account.credits)
    assert (prepaid.debits_pending, prepaid.available >= 0) == (0, True)
    assert_charged_in_full(customer)


def test_one_key_makes_one_run_and_one_event() -> None:
    """M2, U2: sixteen retries at once all get the first answer."""
    customer = make_customer(balance="1")
    runs = in_threads(lambda _: start(customer, idempotency_key="k"), 16)
    assert len({run.id for run in runs}) == Authorization.objects.count() == 1
    settled = in_threads(lambda _: finish(customer, runs[0]), 16)
    assert len({answer.event_id for answer in settled}) == UsageEvent.objects.count() == 1
    reported = in_threads(lambda _: report(customer, event("k"))[0], 16)
    assert sorted(statuses(reported)) == ["accepted"] + ["duplicate"] * 15
    assert money_of(customer.account) == ("0.985", "0", "0")
    assert_charged_in_full(customer)


def test_sweep_and_settlement_race_for_a_hold() -> None:
    """M2: whoever comes first, the run is charged once, its hold given back once, and no other's money is touched."""
    customer = make_customer(balance="0.15")
    runs = [start(customer).id for _ in range(20)]

    def work(number: int) -> None:
        if number % 3 == 0:
            expire_holds(at=LATER)
        finish(customer, runs[number % 20], at=LATER)

    in_threads(work, 60)
    assert not Authorization.objects.exclude(state="settled").exists()
    assert UsageEvent.objects.count() == 20
    assert money_of(customer.account) == ("0", "0", "0")
    assert_charged_in_full(customer)


def test_two_workers_expire_each_hold_once() -> None:
    """M2: sweeps that run at the same moment count each abandoned run once between them."""
    customers = [make_customer(balance="1") for _ in range(4)]
    for customer in customers:
        for _ in range(10):
            start(customer)
    assert sum(in_threads(lambda _: expire_holds(at=LATER), 4)) == 40
    assert {money_of(customer.account) for customer in customers} == {("1", "0", "0")}
    assert check_ledger(at=LATER) == []


def test_batches_at_once_share_the_included_units() -> None:
    """P4: a hundred included minutes are free once, however many calls report minutes at the same moment."""
    customer = make_customer("platform-growth")
    in_threads(lambda _: report(customer, event(product="pstn", quantity="10")), 16)
    assert money_of(customer.account)[2] == "0.96"  # 60 minutes at 0.016
    assert_charged_in_full(customer)


def test_calls_that_cross_accounts_do_not_wait_in_a_circle() -> None:
    """U2: calls that name the same accounts in opposite orders all succeed."""
    customer = make_customer(balance="9")
    second = make_account(customer.tenant, name="Second", is_default=False)
    make_workspace(customer.tenant, "second", account=second)
    make_credits(second, "9")

    def work(number: int) -> list[str]:
        names = ["main", "second"] if number % 2 else ["second", "main"]
        return statuses(report(customer, *[event(workspace=name) for name in names * 3]))

    assert in_threads(work, 32) == [["accepted"] * 6] * 32
    assert check_ledger(at=AT) == []


def test_plan_changes_under_load() -> None:
    """P10: while the plan changes back and forth, each run and event is taken on one plan or the other."""
    customer = make_customer("payg", balance="9")

    def work(number: int) -> str:
        if number == 0:
            for step, slug in enumerate(["pro", "payg", "team", "payg"], start=1):
                subscribe(account_id=customer.account.id, plan_slug=slug, at=AT + step * timedelta(minutes=1))
            return "changed"
        if number % 2:
            return statuses(report(customer, event(), at=AT + timedelta(hours=1)))[0]
        return start(customer, at=AT + timedelta(hours=1)).state

    assert Counter(in_threads(work, 80)) == {"changed": 1, "accepted": 40, "open": 39}
    assert UsageEvent.objects.count() == 40
    assert check_ledger(at=AT) == []


def test_spend_lost_between_cache_and_database() -> None:
    """Limits: processes killed at any moment leave the ledger whole; what they were answered is there once."""
    customer = make_customer(balance="50", at=now() - timedelta(days=1))
    said = _answers_of_killed_processes(customer)
    answered = [line.split() for line in said.splitlines(keepends=True) if line.endswith("\n")]
    events = [decode_id("evt", word) for kind, word in answered if kind == "event"]
    runs = [decode_id("auth", word) for kind, word in answered if kind == "run"]
    _wait_for_servers_to_notice()
    assert UsageEvent.objects.filter(id__in=events).count() == len(events) == len(set(events)) > 30
    assert Authorization.objects.filter(id__in=runs).count() == len(runs)
    swept = now() + timedelta(minutes=16)
    assert expire_holds(at=swept) >= 4
    assert reread(customer.account.credits).debits_pending == 0
    assert check_ledger(at=swept) == []
    assert_charged_in_full(customer)
    metered = UsageDelta.objects.aggregate(requests=Sum("requests"), cost=Sum("cost"))
    cost = UsageEvent.objects.aggregate(cost=Sum("cost"))["cost"]
    assert metered == {"requests": UsageEvent.objects.count(), "cost": cost}
    assert money_of(customer.account)[0] == f"{(Decimal(50) - cost).normalize():f}"


def _answers_of_killed_processes(customer: Customer) -> str:
    server, _, query = os.environ["DATABASE_URL"].partition("?")
    url = f"{server.rpartition('/')[0]}/{connection.settings_dict['NAME']}" + (f"?{query}" if query else "")
    parent = subprocess.run(
        [sys.executable, "-c", _DRIVE, str(customer.key.row.id)],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    return parent.stdout


def _wait_for_servers_to_notice() -> None:
    """A statement that was under way when its client died is finished by the server, and may still commit."""
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            if cursor.fetchone() == (0,):
                return
        time.sleep(0.05)
    raise AssertionError("Connections of killed processes are still open.")
