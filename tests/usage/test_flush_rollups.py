"""Meters: what deltas and rollups add up to, and what reading them costs."""

import random
import threading
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.core.periods import Period
from billing.subscriptions.queries import terms_of
from billing.usage.models import UsageDelta, UsageEvent, UsageRollup
from billing.usage.queries import Lag, MeterReading, counters_of, lag_of, meter_readings, metered_quantity
from billing.usage.services.flush_rollups import flush_all_rollups, flush_rollups
from tests.make import AT, Customer, make_customer, make_workspace
from tests.money_make import event, in_threads, report

DAY = timedelta(days=1)
# Rows as `quaestor_record_usage` takes them: by model, session and hour of a month, without Python.
_BULK = """
    SELECT quaestor_record_usage(json_agg(json_build_object(
        'id', gen_random_uuid(), 'account_id', %(account)s::uuid, 'tenant_id', %(tenant)s::uuid,
        'workspace_id', %(workspace)s::uuid, 'idempotency_key', 'e' || n, 'body_digest', '00',
        'product', 'llm', 'unit', 'token', 'provider', 'openai', 'model', 'gpt-' || n %% 7,
        'credential_source', 'platform', 'quantity', 3, 'input_tokens', 2, 'output_tokens', 1,
        'cached_input_tokens', 0, 'cost', 0.000000001, 'currency', 'USD', 'funding', 'included', 'office', '',
        'agent', '', 'session', 's' || n %% 100, 'end_user', 'u' || n %% 5, 'outcome', '',
        'occurred_at', %(start)s::timestamptz + n / 7 %% 28 * interval '1 day', 'recorded_at', %(start)s,
        'period_start', %(start)s))) FROM generate_series(%(first)s::integer, %(last)s::integer) AS n
"""


def fill(customer: Customer, first: int, last: int) -> Period:
    period = terms_of(customer.account.id, AT).period(AT)
    values = {"account": customer.account.id, "tenant": customer.tenant.id, "workspace": customer.workspace.id}
    with connection.cursor() as cursor:
        for start in range(first, last, 10_000):
            cursor.execute(_BULK, values | {"start": period.start, "first": start, "last": start + 9_999})
    return period


def totals(readings: list[MeterReading]) -> tuple[int, Decimal, int, int, Decimal]:
    return (
        sum(row.requests for row in readings),
        sum((row.quantity for row in readings), Decimal(0)),
        sum(row.input_tokens for row in readings),
        sum(row.output_tokens for row in readings),
        sum((row.cost for row in readings), Decimal(0)),
    )


events = st.tuples(
    st.sampled_from(["gpt-4o", "gpt-4o-mini", "pstn", "callbacks"]),
    st.integers(0, 5000),
    st.integers(0, 40),
    st.booleans(),
)


@pytest.mark.usefixtures("catalogue")
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(events, min_size=1, max_size=4) | st.integers(1, 3), max_size=8))
def test_readings_equal_a_plain_sum_over_events(steps: list[int | list[tuple[str, int, int, bool]]]) -> None:
    """U4: whatever is reported and however much of it is folded, by workspace, product and model, of every period."""
    customer = make_customer("pro", at=AT - 50 * DAY)
    second = make_workspace(customer.tenant, "second", account=customer.account)
    for step in steps:
        if isinstance(step, int):
            flush_rollups(limit=step)
            continue
        report(customer, *[_event(*one) for one in step])
    for workspace_id in (None, customer.workspace.id, second.id):
        for months in range(3):
            period = terms_of(customer.account.id, AT).period(AT - months * 30 * DAY)
            read = meter_readings(account_id=customer.account.id, period=period, workspace_id=workspace_id)
            assert _as_sums(read) == _plain_sums(customer.account.id, period.start, workspace_id)


def _event(what: str, amount: int, days_ago: int, in_second: bool) -> dict[str, object]:
    place = {"workspace": "second" if in_second else "main", "occurred_at": (AT - days_ago * DAY).isoformat()}
    if what.startswith("gpt"):
        return event(model=what, input_tokens=amount, output_tokens=amount // 2, **place)
    return event(product=what, quantity=str(Decimal(amount) / 8), **place)


def _as_sums(read: list[MeterReading]) -> dict[tuple[object, ...], tuple[object, ...]]:
    return {
        (row.workspace_id, row.product, row.model): (
            row.requests,
            row.quantity,
            row.input_tokens,
            row.output_tokens,
            row.cost,
        )
        for row in read
    }


def _plain_sums(
    account_id: UUID, period_start: datetime, workspace_id: UUID | None
) -> dict[tuple[object, ...], tuple[object, ...]]:
    found = UsageEvent.objects.filter(account_id=account_id, period_start=period_start)
    sums: dict[tuple[object, ...], tuple[object, ...]] = {}
    for one in found if workspace_id is None else found.filter(workspace_id=workspace_id):
        key = one.workspace_id, one.product, one.model
        before = sums.get(key, (0, Decimal(0), 0, 0, Decimal(0)))
        more = (int(one.product == "llm"), one.quantity, one.input_tokens, one.output_tokens, one.cost)
        sums[key] = tuple(a + b for a, b in zip(before, more, strict=True))  # type: ignore[operator]
    return sums


@pytest.mark.usefixtures("catalogue")
def test_reading_costs_the_same_however_many_events() -> None:
    """U4: the same queries and the same rows read with ten thousand and with two hundred thousand events."""
    customer = make_customer("pro")
    few = _cost_of_reading(customer, fill(customer, 1, 10_000))
    many = _cost_of_reading(customer, fill(customer, 10_001, 200_000))
    assert totals(meter_readings(account_id=customer.account.id, period=many[0])) == (
        200_000, 600_000, 400_000, 200_000, Decimal("0.0002"),
    )  # fmt: skip
    assert few[1:] == many[1:] == (2, 7)


def _cost_of_reading(customer: Customer, period: Period) -> tuple[Period, int, int]:
    """Queries of a period's readings and counters, and the rows that the readings come from."""
    flush_all_rollups()
    with CaptureQueriesContext(connection) as queries:
        meter_readings(account_id=customer.account.id, period=period)
        counters_of(account_id=customer.account.id, windows={"executions_per_month": period.start})
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + queries[0]["sql"])
        plan = cursor.fetchone()[0]
    return period, len(queries), _scanned(plan[0]["Plan"])


def _scanned(node: dict) -> int:  # type: ignore[type-arg]
    """Rows that the leaves of a plan have read."""
    if "Plans" in node and "Relation Name" not in node:
        return sum(_scanned(child) for child in node["Plans"])
    return round(node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0))


@pytest.mark.usefixtures("catalogue")
def test_nothing_is_left_and_nothing_is_folded_twice() -> None:
    """U4: the lag falls to zero, a second flush finds nothing, and sums stay."""
    customer = make_customer("pro")
    report(customer, event(product="pstn", quantity="1.5"), at=AT)
    assert (
        lag_of(customer.account.id, AT + timedelta(seconds=3)) == lag_of(None, AT + timedelta(seconds=3)) == Lag(1, 3.0)
    )
    assert (flush_all_rollups(), flush_all_rollups()) == (1, 0)
    assert lag_of(customer.account.id, AT) == lag_of(None, AT) == Lag(0, 0.0)
    report(customer, event(product="pstn", quantity="2"))
    flush_all_rollups()
    assert (UsageRollup.objects.count(), UsageDelta.objects.count()) == (1, 0)
    start = terms_of(customer.account.id, AT).period(AT).start
    assert metered_quantity(customer.account.id, "pstn", start) == Decimal("3.5")


@pytest.mark.usefixtures("own_database")
def test_several_workers_fold_each_delta_once_while_others_read() -> None:
    """U4: four workers and a writer at a time; every reading in between is one that was true at some moment."""
    customer = make_customer("pro")
    period = terms_of(customer.account.id, AT).period(AT)
    stop, seen = threading.Event(), []

    def work(number: int) -> int:
        if number == 0:
            for _ in range(40):
                report(customer, *[event(model=random.choice(["gpt-4o", "gpt-4o-mini"])) for _ in range(5)])
            stop.set()
        while number > 1 and not stop.is_set():
            flush_rollups(limit=7)
        while number == 1 and not stop.is_set():
            seen.append(sum(row.requests for row in meter_readings(account_id=customer.account.id, period=period)))
        return flush_rollups()

    in_threads(work, 5, threads=5)
    flush_all_rollups()
    assert seen == sorted(seen)
    assert all(count % 5 == 0 for count in seen)
    assert totals(meter_readings(account_id=customer.account.id, period=period))[0] == 200
    assert not UsageDelta.objects.exists()
