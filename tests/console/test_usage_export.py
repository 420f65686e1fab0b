"""The download of a period's events (U5)."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client

from tests.console.make import make_client
from tests.console.usage import make_event, make_events
from tests.make import Customer, make_customer, make_workspace


def test_csv(customer: Customer) -> None:
    """U5: a line an event below the names, as a file."""
    make_events(customer, [{"session": "one"}, {"session": "two", "model": "gpt-4o-mini"}])
    response = make_client(customer.tenant).get("/usage/export?format=csv&period=current")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="usage-acme-2026-03-10.csv"'
    assert response["Cache-Control"] == "private, no-store"
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert [(row["session"], row["model"], row["cost"]) for row in rows] == [
        ("one", "gpt-4o", "0.004500000"),
        ("two", "gpt-4o-mini", "0.000270000"),
    ]


def test_json_lines_of_a_workspace(customer: Customer) -> None:
    """U5: of the chosen workspace alone."""
    make_workspace(customer.tenant, "second", account=customer.account)
    make_events(customer, [{"agent": "A"}, {"agent": "B", "workspace": "second"}])
    response = make_client(customer.tenant).get("/usage/export?format=jsonl&workspace=second")
    assert response["Content-Disposition"] == 'attachment; filename="usage-acme-2026-03-10-second.jsonl"'
    assert [json.loads(line)["agent"] for line in response.getvalue().splitlines()] == ["B"]


def test_earlier_period(customer: Customer, clock: time_machine.Traveller) -> None:
    """P5: the chosen period's events alone."""
    make_event(customer, agent="A")
    clock.move_to(datetime(2026, 4, 15, tzinfo=UTC))
    make_event(customer, agent="B", at=datetime(2026, 4, 15, tzinfo=UTC))
    client = make_client(customer.tenant)
    for period, agent in (("2026-03-10", b"A"), ("2026-04-10", b"B")):
        lines = client.get(f"/usage/export?format=jsonl&period={period}").getvalue().splitlines()
        assert [json.loads(line)["agent"].encode() for line in lines] == [agent]


def test_page_has_its_buttons(customer: Customer) -> None:
    """F1: for the choice that the page shows."""
    make_event(customer, session="s")
    client = make_client(customer.tenant)
    for path in ("/usage/?workspace=main", "/usage/sessions?workspace=main"):
        text = client.get(path).text
        for form in ("csv", "jsonl"):
            assert f'href="/usage/export?period=2026-03-10&amp;workspace=main&amp;format={form}"' in text


@pytest.mark.parametrize(
    "query", ["", "format=xml", "format=csv&period=2019", "format=csv&workspace=theirs", "format=%00"]
)
def test_unknown_choices_are_not_found(customer: Customer, query: str) -> None:
    """F3: a format that there is not, a period or a workspace that the account has not."""
    foreign = make_customer("free")
    make_workspace(foreign.tenant, "theirs", account=foreign.account)
    assert make_client(customer.tenant).get(f"/usage/export?{query}").status_code == 404


def test_nothing_of_others_is_in_it(customer: Customer) -> None:
    """F3, F4: each account's own events."""
    make_event(make_customer(balance="9.00"), agent="theirs")
    make_event(customer, agent="ours")
    body = make_client(customer.tenant).get("/usage/export?format=jsonl").getvalue()
    assert (b"ours" in body, b"theirs" in body) == (True, False)


def test_visitor_signs_in_first(customer: Customer) -> None:
    """F4: nobody downloads by knowing the address."""
    response = Client().get("/usage/export?format=csv")
    assert (response.status_code, response["Location"]) == (
        302,
        "/account/login/?next=/usage/export%3Fformat%3Dcsv",
    )
