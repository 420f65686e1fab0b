"""GET /v1/usage/events, and its address shared with POST."""

from datetime import UTC, datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.api.calls import call, field_codes, get, refusal
from tests.api.report import report
from tests.make import Customer, make_api_key, make_customer, make_workspace

PATH = "/v1/usage/events"


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer(balance="10", at=datetime(2026, 1, 10, tzinfo=UTC))


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


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("session=s1", "cba"),
        ("agent=ada", "ca"),
        ("product=pstn", "d"),
        ("model=gpt-4o-mini", "b"),
        ("period=current", "dcb"),
        ("period=previous", "a"),
        ("period=2026-02-20T00:00:00Z", "a"),
        ("session=s1&period=current&agent=ada", "c"),
        ("session=s1&model=gpt-4o&period=previous&product=llm&workspace=main", "a"),
        ("session=nobody", ""),
        ("model=none", ""),
    ],
)
def test_filters(customer: Customer, query: str, found: str) -> None:
    """U5: by session, agent, product, model and period, alone and together, in pages of one event each."""
    report(customer, idempotency_key="a", session="s1", agent="ada", occurred_at="2026-02-20T00:00:00Z")
    report(customer, idempotency_key="b", session="s1", agent="bob", model="gpt-4o-mini")
    report(customer, idempotency_key="c", session="s1", agent="ada")
    report(customer, idempotency_key="d", product="pstn", quantity="1")
    keys, cursor = "", ""
    while cursor is not None:
        page = get(f"{PATH}?limit=1&{query}{cursor and '&cursor='}{cursor}", customer.key).json()
        keys += "".join(event["idempotency_key"] for event in page["results"])
        cursor = page["next"]
    assert keys == found


def test_rare_events_cost_no_more_than_the_scan(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """U5: a page looks through so many events at most, and says where the next one goes on."""
    monkeypatch.setattr("billing.usage.recorded_events.SCAN", 3)
    rare = report(customer, model="gpt-4o-mini").event_id
    for _ in range(7):
        report(customer)
    pages, cursor = [], ""
    while cursor is not None:
        page = get(f"{PATH}?model=gpt-4o-mini{cursor and '&cursor='}{cursor}", customer.key).json()
        pages.append([event["id"] for event in page["results"]])
        cursor = page["next"]
    assert pages == [[], [], [rare]]


@pytest.mark.parametrize(
    ("query", "field"),
    [("period=next", "period"), ("session=", "session"), ("agent=%00", "agent"), (f"model={'m' * 121}", "model")],
)
def test_unknown_filters(customer: Customer, query: str, field: str) -> None:
    """F3: refused by the field's name."""
    assert set(field_codes(get(f"{PATH}?{query}", customer.key))) == {field}


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
