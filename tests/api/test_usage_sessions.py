"""GET /v1/usage/sessions."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.usage.services.flush_rollups import flush_all_rollups
from tests.api.calls import field_codes, get, refusal
from tests.api.report import report
from tests.make import Customer, make_api_key, make_customer, make_workspace

PATH = "/v1/usage/sessions"


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer(balance="10", at=datetime(2026, 1, 10, tzinfo=UTC))


def sessions(customer: Customer, query: str = "", *, size: int = 50) -> list[list[str]]:
    """Names of sessions, page by page."""
    pages: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = get(f"{PATH}?limit={size}{query}{cursor and '&cursor='}{cursor}", customer.key).json()
        pages.append([line["session"] for line in page["results"]])
        cursor = page["next"]
    return pages


def test_line_of_a_session(customer: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """U5: tokens, cost and its parts, workspace, office, agent, first and last time; what is folded and what is not."""
    report(customer, session="s1", office="sales", agent="ada", occurred_at="2026-03-10T09:00:00Z")
    flush_all_rollups()
    report(customer, session="s1", office="sales", agent="ada", cached_input_tokens=400)
    report(customer, session="s1", office="sales", agent="ada", product="pstn", quantity="2")
    report(customer)
    with django_assert_num_queries(6):
        body = get(PATH, customer.key).json()
    model: dict[str, Any] = {"product": "llm", "provider": "openai", "model": "gpt-4o", "credential_source": "platform"}
    phone: dict[str, Any] = {"product": "pstn", "provider": "", "model": "", "credential_source": "none"}
    assert body == {
        "results": [
            {
                "session": "s1",
                "workspace": "main",
                "office": "sales",
                "agent": "ada",
                "first_at": "2026-03-10T09:00:00Z",
                "last_at": "2026-03-10T12:00:00Z",
                "requests": 2,
                "input_tokens": 2000,
                "output_tokens": 200,
                "cached_input_tokens": 400,
                "cost": "0.042500000",
                "byok_cost": "0.000000000",
                "breakdown": [
                    model | {"requests": 2, "input_tokens": 2000, "output_tokens": 200, "cost": "0.006500000"},
                    phone | {"requests": 0, "input_tokens": 0, "output_tokens": 0, "cost": "0.036000000"},
                ],
            }
        ],
        "next": None,
    }


@pytest.mark.parametrize("folded", [True, False])
def test_pages(customer: Customer, folded: bool) -> None:
    """U5: the latest first, each session once, also where many were last heard of at one time."""
    for number in range(5):
        report(customer, session=f"s{number}", occurred_at=f"2026-03-10T0{number}:00:00Z")
    for number in range(3):
        report(customer, session=f"tie{number}", occurred_at="2026-03-10T03:00:00Z")
    if folded:
        flush_all_rollups()
    report(customer, session="s1")
    pages = sessions(customer, size=3)
    assert [len(page) for page in pages] == [3, 3, 2]
    (whole,) = sessions(customer)
    assert [name for page in pages for name in page] == whole
    assert (whole[:2], whole[-2:]) == (["s1", "s4"], ["s2", "s0"])
    assert set(whole[2:6]) == {"s3", "tie0", "tie1", "tie2"}


def test_which_period(customer: Customer) -> None:
    """P5, U5: a session has a line in each period that it was used in."""
    report(customer, session="long", occurred_at="2026-02-20T00:00:00Z")
    report(customer, session="long")
    report(customer, session="new")
    assert set(sessions(customer)[0]) == {"long", "new"}
    assert sessions(customer, "&period=previous") == sessions(customer, "&period=2026-02-12T00:00:00Z") == [["long"]]
    assert get(f"{PATH}?period=previous", customer.key).json()["results"][0]["requests"] == 1


def test_whose(customer: Customer) -> None:
    """F3: a workspace's own, also by a key that is bound to it; names of others' sessions share nothing."""
    other = make_workspace(customer.tenant, "other", account=customer.account)
    stranger = make_customer(balance="10")
    report(customer, session="s")
    report(customer, session="s", workspace="other", input_tokens=5, output_tokens=0)
    report(stranger, session="s", input_tokens=7, output_tokens=0)
    bound = make_api_key(customer.tenant, workspace=other)
    for response in (get(PATH, bound), get(f"{PATH}?workspace=other", customer.key)):
        (line,) = response.json()["results"]
        assert (line["workspace"], line["input_tokens"], line["breakdown"][0]["input_tokens"]) == ("other", 5, 5)
    assert [line["input_tokens"] for line in get(PATH, stranger.key).json()["results"]] == [7]
    assert sorted(line["input_tokens"] for line in get(PATH, customer.key).json()["results"]) == [5, 1000]
    assert refusal(get(f"{PATH}?workspace=main", bound)) == (404, "not-found")


@pytest.mark.parametrize(("query", "field"), [("period=next", "period"), ("limit=0", "limit"), ("model=x", "model")])
def test_unknown_questions(customer: Customer, query: str, field: str) -> None:
    """F3: refused by the field's name; a cursor of another list is no cursor."""
    assert set(field_codes(get(f"{PATH}?{query}", customer.key))) == {field}
    assert refusal(get(f"{PATH}?cursor=AAAA", customer.key)) == (400, "invalid-cursor")
