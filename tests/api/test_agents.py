"""/v1/workspaces/{workspace}/agents."""

from datetime import timedelta

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from billing.subscriptions.services.override_entitlement import override_entitlement
from tenants.models import Agent
from tests.api.calls import call, field_codes, get, refusal
from tests.make import AT, Customer, make_customer, make_workspace

PATH = "/v1/workspaces/main/agents"


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer("free")


def test_register_answers_the_agent(customer: Customer) -> None:
    """P6: a new agent has an id, a name, its office and when it came."""
    response = call("POST", PATH, customer.key, {"name": "Ada", "office": "sales"})
    agent = Agent.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": f"agt_{agent.id.hex}",
        "name": "Ada",
        "office": "sales",
        "created_at": "2026-03-10T12:00:00Z",
    }
    assert (agent.workspace_id, agent.office and agent.office.slug) == (customer.workspace.id, "sales")


def test_register_queries(customer: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Key, workspace, two locks, five for the terms, the count, the insert, and the transaction around them."""
    with django_assert_num_queries(13):
        assert call("POST", PATH, customer.key, {"name": "Ada"}).status_code == 201


def test_limit_is_the_accounts(customer: Customer) -> None:
    """P6: Free runs three agents over all its workspaces; the fourth is 402, and nothing is written."""
    make_workspace(customer.tenant, "second", account=customer.account)
    for path in (PATH, PATH, "/v1/workspaces/second/agents"):
        assert call("POST", path, customer.key, {"name": "Ada"}).status_code == 201
    response = call("POST", PATH, customer.key, {"name": "Bob", "office": "new"})
    assert refusal(response) == (402, "quota-exceeded-agents")
    body = response.json()
    assert (body["limit_source"], body["detail"]) == ("plan:free", "The account runs 3 agents and may run 3.")
    assert "Retire an agent" in body["remedy"]
    assert Agent.objects.count() == 3


def test_retiring_frees_a_place(customer: Customer) -> None:
    """P6: a gauge counts what is there now."""
    ids = [call("POST", PATH, customer.key, {"name": "Ada"}).json()["id"] for _ in range(3)]
    response = call("DELETE", f"{PATH}/{ids[0]}", customer.key)
    assert (response.status_code, response.content) == (204, b"")
    assert call("POST", PATH, customer.key, {"name": "Bob"}).status_code == 201
    assert refusal(call("DELETE", f"{PATH}/{ids[0]}", customer.key)) == (404, "not-found")
    assert Agent.objects.filter(retired_at=AT).count() == 1


@pytest.mark.parametrize(("value", "status"), [(0, 402), (4, 201), (None, 201)])
def test_override(customer: Customer, value: int | None, status: int) -> None:
    """P3, P6: staff's exception counts instead of the plan, and is named as what set the limit."""
    for _ in range(3):
        call("POST", PATH, customer.key, {"name": "Ada"})
    override_entitlement(account_id=customer.account.id, feature="agents_limit", value=value, reason="deal", at=AT)
    response = call("POST", PATH, customer.key, {"name": "Bob"})
    assert response.status_code == status
    assert response.json().get("limit_source") == ("override" if status == 402 else None)


def test_list_pages(customer: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """F3: the newest first, page by page, retired ones left out."""
    for number in range(3):
        with time_machine.travel(AT + timedelta(minutes=number // 2), tick=False):
            call("POST", PATH, customer.key, {"name": f"agent {number}"})
    with django_assert_num_queries(3):
        first = get(f"{PATH}?limit=2", customer.key).json()
    second = get(f"{PATH}?limit=2&cursor={first['next']}", customer.key).json()
    assert [agent["name"] for agent in first["results"] + second["results"]] == ["agent 2", "agent 1", "agent 0"]
    assert second["next"] is None
    assert first["results"][0]["office"] is None


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"name": "required"}),
        ({"name": ""}, {"name": "blank"}),
        ({"name": None}, {"name": "null"}),
        ({"name": 5}, {"name": "invalid"}),
        ({"name": ["a"]}, {"name": "invalid"}),
        ({"name": "a" * 201}, {"name": "max-length"}),
        ({"name": "a\x00"}, {"name": "null-characters-not-allowed"}),
        ({"name": "\ud800"}, {"name": "surrogate-characters-not-allowed"}),
        ({"name": "a", "office": "not a slug"}, {"office": "invalid"}),
        ({"name": "a", "office": "x" * 64}, {"office": "max-length"}),
        ({"name": 1, "id": "x", "z": 1}, {"name": "invalid", "id": "unknown-field", "z": "unknown-field"}),
    ],
)
def test_bad_bodies(customer: Customer, body: object, errors: dict[str, str]) -> None:
    """F3: each wrong field is named with a code, and nothing is written."""
    assert field_codes(call("POST", PATH, customer.key, body)) == errors
    assert not Agent.objects.exists()
