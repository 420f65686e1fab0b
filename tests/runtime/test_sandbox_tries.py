"""Tries in the sandbox: an allowance of the UTC day, apart from executions (P3)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.core.problems import Problem
from billing.usage.models import Counter, UsageEvent
from tests.make import AT, Customer, make_customer
from tests.money_make import abandon, finish, start
from tests.runtime.own_keys import own_key
from tests.runtime.slots import limit

pytestmark = pytest.mark.usefixtures("catalogue")
TRIES, EXECUTIONS = "sandbox_tries_per_day", "executions_per_month"
MIDNIGHT = datetime(2026, 3, 11, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def try_out(customer: Customer, *, at: datetime = AT, **changes: Any) -> Any:
    return start(customer, at=at, sandbox=True, **({"model": "gpt-4o-mini"} | changes))


def refusal(customer: Customer, *, at: datetime = AT) -> Problem:
    with pytest.raises(Problem) as refused:
        try_out(customer, at=at)
    return refused.value


def counted(customer: Customer, feature: str) -> list[tuple[str, int, int]]:
    """Day, used and reserved of each window."""
    rows = Counter.objects.filter(account_id=customer.account.id, feature=feature).order_by("window_start")
    return [(f"{row.window_start:%d %H:%M}", int(row.used), int(row.reserved)) for row in rows]


def test_tries_of_a_day() -> None:
    """P3: Free has five a day; the sixth is 402 with the day's end, and executions are not touched."""
    customer = make_customer("free")
    tries = [try_out(customer) for _ in range(5)]
    refused = refusal(customer)
    assert (refused.code, refused.status, refused.limit_source) == ("quota-exceeded-sandbox-tries", 402, "plan:free")
    assert refused.detail == "Sandbox tries per day: 5 of 5 used until 2026-03-11 00:00 UTC; this run needs more."
    assert refused.retry_after == 12 * 3600
    finish(customer, tries[0])
    assert refusal(customer).code == "quota-exceeded-sandbox-tries"
    assert counted(customer, TRIES) == [("10 00:00", 1, 4)]
    assert counted(customer, EXECUTIONS) == []
    assert UsageEvent.objects.get().sandbox is True
    assert start(customer, model="gpt-4o-mini").state == "open"
    assert counted(customer, EXECUTIONS) == [("10 00:00", 0, 1)]


def test_given_up_try_is_given_back() -> None:
    """P3, M2: what did not happen counts for nothing."""
    customer = make_customer("free")
    tries = [try_out(customer) for _ in range(5)]
    abandon(customer, tries[0])
    assert try_out(customer).state == "open"
    assert refusal(customer).code == "quota-exceeded-sandbox-tries"


def test_day_changes_at_midnight_utc() -> None:
    """P3, P5: the new day begins at 00:00 UTC sharp; a try counts on the day that admitted it."""
    customer = make_customer("free")
    late = [try_out(customer, at=MIDNIGHT - SECOND) for _ in range(5)]
    assert refusal(customer, at=MIDNIGHT - timedelta(microseconds=1)).retry_after == 1
    assert try_out(customer, at=MIDNIGHT).state == "open"
    for run in late:
        finish(customer, run, at=MIDNIGHT + SECOND)
    assert counted(customer, TRIES) == [("10 00:00", 5, 0), ("11 00:00", 0, 1)]
    for _ in range(4):
        try_out(customer, at=MIDNIGHT + SECOND)
    assert refusal(customer, at=MIDNIGHT + SECOND).code == "quota-exceeded-sandbox-tries"


def test_used_up_executions_leave_tries() -> None:
    """P3: neither allowance is the other's."""
    customer = make_customer("free")
    limit(customer, **{EXECUTIONS: 0})
    assert try_out(customer).state == "open"
    with pytest.raises(Problem, match="quota-exceeded-executions"):
        start(customer, model="gpt-4o-mini")


@pytest.mark.parametrize(("value", "tries"), [(0, 0), (2, 2), (None, 9)])
def test_exceptions_of_staff(value: int | None, tries: int) -> None:
    """P3: an override is the limit; null is none, and is counted all the same when a try is settled."""
    customer = make_customer("free")
    limit(customer, **{TRIES: value})
    runs = [try_out(customer) for _ in range(tries)]
    if value is not None:
        assert refusal(customer).limit_source == "override"
    for run in runs:
        finish(customer, run)
    assert sum(used for _, used, _ in counted(customer, TRIES)) == tries


def test_try_is_said_to_be_none() -> None:
    """P3: false is a run like any other."""
    customer = make_customer("free")
    limit(customer, **{TRIES: 0})
    assert start(customer, model="gpt-4o-mini", sandbox=False).state == "open"


@pytest.mark.usefixtures("vault", "providers")
def test_own_keys_count_for_nothing() -> None:
    """U7: a try on an own key is no try of the plan's."""
    customer = make_customer("free")
    limit(customer, **{TRIES: 0})
    own_key(customer)
    assert finish(customer, try_out(customer)).state == "settled"
    assert counted(customer, TRIES) == []
