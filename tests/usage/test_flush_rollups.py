"""Folding: each delta once, whoever folds, whoever dies, whatever does not fit."""

import os
import random
import subprocess
import sys
import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection
from structlog.testing import capture_logs

from billing.subscriptions.queries import terms_of
from billing.usage.differences import differences_of
from billing.usage.models import PeriodRollup, UsageDelta, UsageRollup, UsageWatch
from billing.usage.queries import Lag, lag_of, meter_readings, metered_quantity
from billing.usage.services.flush_rollups import flush_all_rollups, flush_rollups
from billing.usage.services.rebuild_rollups import rebuild_rollups
from tests.make import AT, Customer, make_customer
from tests.money_make import event, in_threads, report

_FOLD_AND_WAIT = "import django; django.setup(); from tests.usage.folding import fold_and_wait; fold_and_wait()"


def requests_of(customer: Customer) -> int:
    period = terms_of(customer.account.id, AT).period(AT)
    return sum(row.requests for row in meter_readings(account_id=customer.account.id, period=period))


@pytest.mark.usefixtures("catalogue")
def test_nothing_is_left_and_nothing_is_folded_twice() -> None:
    """U4: the lag falls to zero, a second flush finds nothing, sums stay, and whoever watches limits is told."""
    customer = make_customer("pro")
    report(customer, event(product="pstn", quantity="1.5"), at=AT)
    later = AT + timedelta(seconds=3)
    assert lag_of(customer.account.id, later) == lag_of(None, later) == Lag(1, 3.0)
    assert (flush_all_rollups(), flush_all_rollups()) == (1, 0)
    assert lag_of(customer.account.id, AT) == lag_of(None, AT) == Lag(0, 0.0)
    report(customer, event(product="pstn", quantity="2"))
    flush_all_rollups()
    assert (UsageRollup.objects.count(), PeriodRollup.objects.count(), UsageDelta.objects.count()) == (1, 1, 0)
    assert UsageWatch.objects.filter(account_id=customer.account.id).exists()
    start = terms_of(customer.account.id, AT).period(AT).start
    assert metered_quantity(customer.account.id, "pstn", start) == Decimal("3.5")


@pytest.mark.usefixtures("own_database")
def test_several_workers_fold_each_delta_once_while_others_read() -> None:
    """U4: four workers and a writer at a time; every reading in between is one that was true at some moment."""
    customer = make_customer("pro")
    stop, seen = threading.Event(), []

    def work(number: int) -> int:
        if number == 0:
            for _ in range(40):
                report(customer, *[event(model=random.choice(["gpt-4o", "gpt-4o-mini"])) for _ in range(5)])
            stop.set()
        while number > 1 and not stop.is_set():
            flush_rollups(limit=7)
        while number == 1 and not stop.is_set():
            seen.append(requests_of(customer))
        return flush_rollups()

    in_threads(work, 5, threads=5)
    flush_all_rollups()
    assert seen == sorted(seen)
    assert all(count % 5 == 0 for count in seen)
    assert requests_of(customer) == 200
    assert not UsageDelta.objects.exists()


@pytest.mark.usefixtures("own_database")
def test_worker_that_is_killed_loses_and_doubles_nothing() -> None:
    """U4: killed before what it folded is for good: others pass it by meanwhile, and do its work then."""
    customer = make_customer("pro")
    report(customer, *[event(session=f"s{number}") for number in range(5)])
    with subprocess.Popen(
        [sys.executable, "-c", _FOLD_AND_WAIT],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": url_of_this_database()},
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "1\n"
        assert (requests_of(customer), flush_rollups()) == (5, 0)
        report(make_customer("pro"), event())
        assert flush_rollups() == 1
        worker.kill()
    assert requests_of(customer) == 5
    wait_for_rollback()
    assert (flush_all_rollups(), requests_of(customer), UsageDelta.objects.count()) == (1, 5, 0)
    assert differences_of(account_id=customer.account.id, period_start=None) == []


def url_of_this_database() -> str:
    server, _, query = os.environ["DATABASE_URL"].partition("?")
    return f"{server.rpartition('/')[0]}/{connection.settings_dict['NAME']}" + (f"?{query}" if query else "")


def wait_for_rollback() -> None:
    """Until the server has noticed that nobody is there: nothing holds the lock of folding any more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7301), pg_advisory_unlock(7301)")


@pytest.mark.usefixtures("catalogue")
def test_failing_delta_does_not_stop_the_rest() -> None:
    """U4: what does not fit is told and goes to the end, everybody else's is folded; a rebuild makes it right."""
    stuck, other = make_customer("pro"), make_customer("pro")
    report(stuck, event())
    flush_all_rollups()
    PeriodRollup.objects.update(cost=Decimal("99999999999999999999999999999.999999999"))
    report(stuck, event())
    report(other, event())
    with capture_logs() as logs:
        assert (flush_all_rollups(limit=1), flush_all_rollups(limit=1), flush_all_rollups(limit=1)) == (0, 1, 0)
        assert flush_rollups() == 0
    assert {(line["event"], line["account_id"]) for line in logs} == {("usage_not_folded", str(stuck.account.id))}
    assert lag_of(other.account.id, AT) == Lag(0, 0.0)
    assert lag_of(stuck.account.id, AT).waiting == lag_of(None, AT).waiting == 1
    report(other, event())
    assert flush_rollups() == 1
    rebuild_rollups(account_id=stuck.account.id, period_start=None, at=AT)
    assert (flush_all_rollups(), requests_of(stuck), requests_of(other)) == (0, 2, 2)
    assert differences_of(account_id=stuck.account.id, period_start=None) == []
