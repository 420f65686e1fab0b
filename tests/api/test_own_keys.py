"""Own provider keys over the API: the switch, the runs that follow it, and the usage that is shown."""

from typing import Any

import pytest

from billing.core.ids import encode_id
from billing.usage.models import Counter
from billing.usage.services.flush_rollups import flush_all_rollups
from tests.api.calls import call, get
from tests.api.endpoints import RUN
from tests.make import Customer, make_customer
from tests.money_make import money_of
from tests.runtime.own_keys import own_key

pytestmark = pytest.mark.usefixtures("vault")
TOGGLE = "/v1/workspaces/main/billing/byo-toggle"


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer("pro")


def run(customer: Customer, key: str, **changes: Any) -> dict[str, Any]:
    response = call("POST", "/v1/runtime/authorizations", customer.key, RUN | {"idempotency_key": key} | changes)
    assert response.status_code == 201, response.content
    body: dict[str, Any] = response.json()
    return body


def settle(customer: Customer, run_id: str) -> dict[str, Any]:
    figures = {"input_tokens": 1000, "output_tokens": 500}
    response = call("POST", f"/v1/runtime/authorizations/{run_id}/settle", customer.key, figures)
    body: dict[str, Any] = response.json()
    return body


def test_runs_follow_the_switch(customer: Customer) -> None:
    """K11: off, runs are on the platform's key and say why; on again, on the tenant's; the first decision stays."""
    key = own_key(customer)
    decided = [run(customer, "a")]
    for name, enabled in (("b", False), ("c", True)):
        assert call("POST", TOGGLE, customer.key, {"enabled": enabled}).status_code == 200
        decided.append(run(customer, name))
    mine = ("byok", encode_id("cred", key.id), "assigned-tenant")
    assert [(one["credential_source"], one["credential"], one["credential_reason"]) for one in decided] == [
        mine, ("platform", None, "own-keys-off"), mine,
    ]  # fmt: skip
    assert [run(customer, name) for name in "abc"] == decided


def test_own_key_usage_is_shown_and_neither_billed_nor_counted(customer: Customer) -> None:
    """U7: with what it would have cost, before and after the flush; no counter and no balance moves."""
    own_key(customer)
    settled = settle(customer, run(customer, "a", user="bob")["id"])
    assert (settled["cost"], settled["charged"], settled["owed"]) == ("0.007500000", "0.000000000", "0.000000000")
    reported = {"idempotency_key": "e", "workspace": "main", "product": "llm", "provider": "openai", "model": "gpt-4o"}
    figures = {"input_tokens": 1000, "output_tokens": 500, "credential_source": "byok"}
    assert (
        call("POST", "/v1/usage/events", customer.key, reported | figures).json()["results"][0]["status"] == "accepted"
    )
    for _ in range(2):
        totals = get("/v1/billing/usage", customer.key).json()["totals"]
        assert (totals["requests"], totals["cost"], totals["byok_cost"]) == (2, "0.015000000", "0.015000000")
        flush_all_rollups()
    assert not Counter.objects.exists()
    assert money_of(customer.account) == ("0", "0", "0")
    quota = get("/v1/quota/tokens?workspace=main", customer.key).json()
    assert quota["used"] in {0, "0"}


def test_event_says_which_key_it_ran_on(customer: Customer) -> None:
    """K6, U5: the reason is in the usage ledger, of own keys and of the platform's."""
    key = own_key(customer)
    settle(customer, run(customer, "a")["id"])
    settle(customer, run(customer, "b", provider="anthropic", model="claude-haiku-4-5")["id"])
    events = get("/v1/usage/events", customer.key).json()["results"]
    assert [(one["credential_source"], one["credential"], one["credential_reason"]) for one in events] == [
        ("platform", None, "no-assignment"),
        ("byok", encode_id("cred", key.id), "assigned-tenant"),
    ]


def test_missing_key_of_a_plan_on_own_keys(catalogue: None) -> None:
    """K6: 409 with what to do, and 402 where the plan forbids own keys."""
    for plan, status, code in (
        ("platform-growth", 409, "missing-provider-credential"),
        ("starter", 402, "plan-without-byok"),
    ):
        customer = make_customer(plan)
        if plan == "starter":
            own_key(customer)
        response = call("POST", "/v1/runtime/authorizations", customer.key, RUN)
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert response.json()["remedy"]
