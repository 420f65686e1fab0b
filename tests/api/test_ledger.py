"""GET /v1/billing/ledger."""

from datetime import timedelta

import time_machine
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from billing.credits.models import Transfer
from billing.runtime.requests import AuthorizationRequest
from billing.runtime.services.authorize import authorize
from tests.api.calls import get
from tests.api.report import report
from tests.make import AT, make_credits, make_customer

PATH = "/v1/billing/ledger"


def test_entry(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """M1: a movement with its time, reason and exact amount; three queries."""
    customer = make_customer(balance="142.87")
    transfer = Transfer.objects.get()
    with django_assert_num_queries(3):
        response = get(PATH, customer.key)
    assert response.json() == {
        "results": [
            {
                "id": f"tr_{transfer.id.hex}",
                "at": "2026-03-10T12:00:00Z",
                "reason": "purchase",
                "description": "",
                "currency": "USD",
                "amount": "142.870000000",
                "account": "credits",
            }
        ],
        "next": None,
    }


def test_pages_neither_miss_nor_repeat() -> None:
    """F3: entries of one instant are told apart by their ids, and one that arrives between two pages shifts nothing."""
    customer = make_customer()
    for number in range(5):
        make_credits(customer.account, f"{number + 1}")
    first = get(f"{PATH}?limit=2", customer.key).json()
    with time_machine.travel(AT + timedelta(hours=1), tick=False):
        make_credits(customer.account, "100", at=now())
        second = get(f"{PATH}?limit=2&cursor={first['next']}", customer.key).json()
        third = get(f"{PATH}?limit=2&cursor={second['next']}", customer.key).json()
    rows = first["results"] + second["results"] + third["results"]
    assert [row["amount"][0] for row in rows] == ["5", "4", "3", "2", "1"]
    assert third["next"] is None


def test_what_is_owed_is_told_from_credits() -> None:
    """M1: usage beyond the credits goes on the next invoice, and says so."""
    customer = make_customer(balance="0.001")
    report(customer)
    rows = [(row["account"], row["reason"], row["amount"]) for row in get(PATH, customer.key).json()["results"]]
    assert sorted(rows) == [
        ("credits", "purchase", "0.001000000"),
        ("credits", "usage", "-0.001000000"),
        ("owed", "usage", "-0.002500000"),
    ]


def test_holds_are_not_movements() -> None:
    """M1: what is only held has not moved."""
    customer = make_customer(balance="10")
    run = AuthorizationRequest(
        workspace="main",
        idempotency_key="a",
        input_tokens=10,
        max_output_tokens=5,
        provider="openai",
        model="gpt-4o",
    )
    authorize(caller=customer.key.caller, request=run, at=now())
    assert [row["reason"] for row in get(PATH, customer.key).json()["results"]] == ["purchase"]


def test_foreign_cursor_shows_nothing_foreign() -> None:
    """F3: a cursor from another tenant is only a position: the list stays the caller's own."""
    theirs, mine = make_customer(), make_customer(balance="1")
    for _ in range(2):
        make_credits(theirs.account, "50")
    cursor = get(f"{PATH}?limit=1", theirs.key).json()["next"]
    amounts = [row["amount"] for row in get(f"{PATH}?cursor={cursor}", mine.key).json()["results"]]
    assert amounts in ([], ["1.000000000"])
