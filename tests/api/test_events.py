"""GET /v1/usage/events, and its address shared with POST."""

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.api.calls import call, get, refusal
from tests.api.report import report
from tests.make import Customer, make_api_key, make_customer, make_workspace

PATH = "/v1/usage/events"


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer(balance="10")


def test_event_as_it_was_rated(customer: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """U1, U5: an event with its attribution, figures and cost; four queries."""
    result = report(customer, idempotency_key="k", office="sales", agent="ada", session="s1", user="bob")
    with django_assert_num_queries(4):
        body = get(PATH, customer.key).json()
    assert body == {
        "results": [
            {
                "id": result.event_id,
                "idempotency_key": "k",
                "workspace": "main",
                "product": "llm",
                "unit": "token",
                "provider": "openai",
                "model": "gpt-4o",
                "credential_source": "platform",
                "credential": None,
                "credential_reason": "",
                "quantity": "1100",
                "input_tokens": 1000,
                "output_tokens": 100,
                "cached_input_tokens": 0,
                "cost": "0.003500000",
                "currency": "USD",
                "funding": "credits",
                "office": "sales",
                "agent": "ada",
                "session": "s1",
                "user": "bob",
                "outcome": "",
                "occurred_at": "2026-03-10T12:00:00Z",
                "recorded_at": "2026-03-10T12:00:00Z",
                "period_start": "2026-03-10T00:00:00Z",
                "reverses": None,
            }
        ],
        "next": None,
    }


def test_pages(customer: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """U5: the latest recorded first, in as many queries for two hundred as for one."""
    ids = [report(customer).event_id for _ in range(5)]
    first = get(f"{PATH}?limit=3", customer.key).json()
    with django_assert_num_queries(4):
        second = get(f"{PATH}?limit=3&cursor={first['next']}", customer.key).json()
    assert [event["id"] for event in first["results"] + second["results"]] == ids[::-1]
    assert second["next"] is None


def test_one_workspace(customer: Customer) -> None:
    """U5: `?workspace=` and a key of the workspace narrow to it."""
    other = make_workspace(customer.tenant, "other", account=customer.account)
    report(customer)
    theirs = report(customer, workspace="other").event_id
    bound = make_api_key(customer.tenant, workspace=other)
    for response in (get(f"{PATH}?workspace=other", customer.key), get(PATH, bound)):
        assert [(event["id"], event["workspace"]) for event in response.json()["results"]] == [(theirs, "other")]


def test_post_is_at_the_same_address(customer: Customer) -> None:
    """U1, U2: what is posted here is read here."""
    event = {"idempotency_key": "p", "workspace": "main", "product": "pstn", "quantity": "2"}
    answer = call("POST", PATH, customer.key, event).json()["results"][0]
    assert answer["status"] == "accepted"
    assert get(PATH, customer.key).json()["results"][0]["id"] == answer["event_id"]


def test_other_methods(customer: Customer) -> None:
    """F3: what is not taken is 405, with what is."""
    response = call("PUT", PATH, customer.key, {})
    assert refusal(response) == (405, "method-not-allowed")
    assert response.headers["Allow"] == "GET, POST, HEAD, OPTIONS"
