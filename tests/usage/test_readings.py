"""Reading usage: what readings come to, and what they cost however many events there are."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.core.periods import Period
from billing.subscriptions.queries import terms_of
from billing.usage.differences import differences_of
from billing.usage.models import UsageEvent
from billing.usage.queries import counters_of, daily_readings, meter_readings, place_readings
from billing.usage.services.flush_rollups import flush_all_rollups, flush_rollups
from billing.usage.services.reverse_event import reverse_event
from billing.usage.session_ledger import session_lines
from billing.usage.sums import agents_of, offices_of, totals_of, workspaces_of
from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer, make_customer, make_workspace
from tests.money_make import in_threads, report
from tests.usage.readings import (
    DAY,
    METER,
    METER_SUMS,
    PLACE_SUMS,
    ROLLUPS,
    events,
    held,
    of_readings,
    plain_sums,
    rows_read,
)

# Rows as `quaestor_record_usage` takes them: by model, session and hour of a month, without Python.
_BULK = """
    SELECT quaestor_record_usage(json_agg(json_build_object(
        'id', gen_random_uuid(), 'account_id', %(account)s::uuid, 'tenant_id', %(tenant)s::uuid,
        'workspace_id', %(workspace)s::uuid, 'idempotency_key', 'e' || n, 'body_digest', '00',
        'product', 'llm', 'unit', 'token', 'provider', 'openai', 'model', 'gpt-' || n %% 7,
        'credential_source', 'platform', 'quantity', 3, 'input_tokens', 2, 'output_tokens', 1,
        'cached_input_tokens', 0, 'cost', 0.000000001, 'currency', 'USD', 'funding', 'included',
        'office', 'o' || n %% 3, 'agent', 'a' || n %% 3, 'session', 's' || n %% 100, 'end_user', 'u' || n %% 5,
        'outcome', '', 'occurred_at', %(start)s::timestamptz + n / 7 %% 28 * interval '1 day', 'recorded_at', %(start)s,
        'period_start', %(start)s))) FROM generate_series(%(first)s::integer, %(last)s::integer) AS n
"""
step = st.lists(events(), min_size=1, max_size=4) | st.integers(1, 3) | st.just("reverse")


@pytest.mark.usefixtures("own_database")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["pro", "payg", "platform-starter"]), st.lists(step, min_size=1, max_size=7))
def test_rollups_and_readings_equal_a_plain_sum_over_events(plan: str, steps: list[Any]) -> None:
    """U4, U5, U7: all four, whatever is reported and taken back, and however much two workers have folded."""
    customer = make_customer(plan, balance="100", at=AT - 50 * DAY)
    make_workspace(customer.tenant, "second", account=customer.account)
    for one in steps:
        if isinstance(one, list):
            report(customer, *one)
        elif isinstance(one, int):
            in_threads(lambda _, most=one: flush_rollups(limit=most), 2, threads=2)
        else:
            _reverse_one(customer)
    _compare_readings(customer)
    assert differences_of(account_id=customer.account.id, period_start=None) == []
    in_threads(lambda _: flush_all_rollups(limit=2), 2, threads=2)
    flush_all_rollups()  # what one worker had taken when the other looked for the last time
    for rollup, columns in ROLLUPS.items():
        assert held(customer.account.id, rollup, *columns) == plain_sums(customer.account.id, *columns)
    _compare_readings(customer)


def _reverse_one(customer: Customer) -> None:
    found = UsageEvent.objects.filter(account_id=customer.account.id, reverses_id=None).first()
    if found is not None:
        reverse_event(account_id=customer.account.id, event_id=found.id, reason="wrong", at=AT, actor=SYSTEM)


def _compare_readings(customer: Customer) -> None:
    account_id = customer.account.id
    for start in set(UsageEvent.objects.filter(account_id=account_id).values_list("period_start", flat=True)):
        period = Period(start, start + DAY)
        read: list[tuple[list[Any], list[str], list[str]]] = [
            (meter_readings(account_id=account_id, period=period), METER, METER_SUMS),
            (daily_readings(account_id=account_id, period=period), ["day"], ["cost", "own_key_cost", "requests"]),
            (place_readings(account_id=account_id, period=period), ["workspace_id", "office", "agent"], PLACE_SUMS),
            (session_lines(account_id=account_id, period=period, limit=99), ["workspace_id", "session"], PLACE_SUMS),
        ]
        for rows, dimensions, sums in read:
            due = {key: row for key, row in plain_sums(account_id, dimensions, sums).items() if key[0] == start}
            assert of_readings(start, rows, dimensions, sums) == due
        totals, places = totals_of(read[0][0]), read[2][0]
        for rows in (workspaces_of(read[0][0]), offices_of(places), agents_of(places)):
            for name in PLACE_SUMS:
                assert sum(getattr(row, name) for row in rows) == getattr(totals, name)


@pytest.mark.usefixtures("catalogue")
def test_reading_costs_the_same_however_many_events() -> None:
    """U4: the same queries and the same rows read with ten thousand and with two hundred thousand events."""
    customer = make_customer("pro")
    few = _cost_of_reading(customer, _fill(customer, 1, 10_000))
    many = _cost_of_reading(customer, _fill(customer, 10_001, 200_000))
    rows = {"counters": [1], "meters": [7], "days": [196], "places": [3], "session page": [100]}
    assert (few, many) == (rows, rows)


def _fill(customer: Customer, first: int, last: int) -> Period:
    period = terms_of(customer.account.id, AT).period(AT)
    values = {"account": customer.account.id, "tenant": customer.tenant.id, "workspace": customer.workspace.id}
    with connection.cursor() as cursor:
        for start in range(first, last, 10_000):
            cursor.execute(_BULK, values | {"start": period.start, "first": start, "last": start + 9_999})
    flush_all_rollups()
    return period


def _cost_of_reading(customer: Customer, period: Period) -> dict[str, list[int]]:
    """Rows that each query of each reading reads from tables, and how many it gives."""
    account_id = customer.account.id
    readings = {
        "counters": lambda: counters_of(account_id=account_id, windows={"executions_per_month": period.start}),
        "meters": lambda: meter_readings(account_id=account_id, period=period),
        "days": lambda: daily_readings(account_id=account_id, period=period),
        "places": lambda: place_readings(account_id=account_id, period=period),
        "session page": lambda: session_lines(account_id=account_id, period=period, limit=50),
    }
    found = {}
    for name, read in readings.items():
        with CaptureQueriesContext(connection) as queries:
            read()
        found[name] = [rows_read(query["sql"]) for query in queries]
    return found
