"""GET /v1/usage/export."""

import csv
import json
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.api.views.events import EventAnswer
from tests.api.calls import field_codes, get
from tests.api.report import report
from tests.make import AT, Customer, make_api_key, make_customer, make_workspace

PATH = "/v1/usage/export"
IN_PERIOD = f"period={AT:%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer(balance="10")


def lines_of(address: str, customer: Customer) -> list[dict[str, Any]]:
    body = b"".join(get(address, customer.key).streaming_content).decode()
    return [json.loads(line) for line in body.split("\n") if line]


def test_fields_are_those_of_the_events(customer: Customer) -> None:
    """U5: the same names in the same order as GET /v1/usage/events, with the same values."""
    report(customer, idempotency_key="k", office="sales", agent="ada", session="s1", user="bob")
    (event,) = get("/v1/usage/events", customer.key).json()["results"]
    (line,) = lines_of(f"{PATH}?format=jsonl&{IN_PERIOD}", customer)
    times = ("occurred_at", "recorded_at", "period_start")
    assert line == event | {name: event[name].replace("Z", ".000000Z") for name in times}
    answer = get(f"{PATH}?{IN_PERIOD}", customer.key)
    header = next(csv.reader(StringIO(b"".join(answer.streaming_content).decode(), newline="")))
    assert tuple(header) == EventAnswer.__struct_fields__ == tuple(line)


def test_answer_is_a_file(customer: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """U5: what it holds and is called; lazily: three queries, and the one that reads it once it is read."""
    with django_assert_num_queries(3):
        answer = get(f"{PATH}?{IN_PERIOD}", customer.key)
        assert answer.streaming
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    name = f"usage-acc_{customer.account.id.hex}-2026-03-10.csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert get(f"{PATH}?format=jsonl", customer.key).headers["Content-Type"] == "application/jsonl; charset=utf-8"


def test_sums_are_those_of_the_usage(customer: Customer) -> None:
    """U5: lines add up to the totals of GET /v1/billing/usage."""
    for tokens in (1, 10, 100):
        report(customer, input_tokens=tokens)
    totals = get(f"/v1/billing/usage?{IN_PERIOD}", customer.key).json()["totals"]
    lines = lines_of(f"{PATH}?format=jsonl&{IN_PERIOD}", customer)
    assert f"{sum(Decimal(line['cost']) for line in lines):.9f}" == totals["cost"]
    assert sum(line["input_tokens"] for line in lines) == totals["input_tokens"] == 111


def test_empty_period(customer: Customer) -> None:
    """U5: a header alone."""
    assert b"".join(get(PATH, customer.key).streaming_content).count(b"\r\n") == 1


def test_one_workspace(customer: Customer) -> None:
    """U5: `?workspace=` and a key of the workspace narrow to it."""
    other = make_workspace(customer.tenant, "other", account=customer.account)
    report(customer, idempotency_key="mine")
    report(customer, idempotency_key="theirs", workspace="other")
    bound = make_api_key(customer.tenant, workspace=other)
    narrowed = lines_of(f"{PATH}?format=jsonl&workspace=other&{IN_PERIOD}", customer)
    own = b"".join(get(f"{PATH}?format=jsonl&{IN_PERIOD}", bound).streaming_content)
    assert [line["idempotency_key"] for line in [*narrowed, json.loads(own)]] == ["theirs", "theirs"]


def test_unknown_format(customer: Customer) -> None:
    """F3: refused by name."""
    assert field_codes(get(f"{PATH}?format=xlsx", customer.key)) == {"format": "invalid-choice"}
