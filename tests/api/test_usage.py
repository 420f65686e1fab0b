"""GET /v1/billing/usage and GET /v1/workspaces/{workspace}/billing/usage."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.subscriptions.services.subscribe import subscribe
from billing.usage.services.flush_rollups import flush_all_rollups
from tests.api.calls import field_codes, get
from tests.api.report import report
from tests.make import AT, Customer, make_api_key, make_customer, make_workspace

PATH = "/v1/billing/usage"
HOUR = timedelta(hours=1)
JANUARY = datetime(2026, 1, 10, tzinfo=UTC)


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer(balance="100", at=JANUARY)


def test_sums_by_product_and_model(customer: Customer) -> None:
    """U5: a period's totals, by product and by model, with counts as numbers and costs as strings of nine decimals."""
    report(customer)
    report(customer, cached_input_tokens=400)
    report(customer, provider="anthropic", model="claude-opus-4-5", input_tokens=10, output_tokens=1)
    report(customer, product="pstn", quantity="12.5")
    body = get(PATH, customer.key).json()
    for key in ("by_workspace", "by_office", "by_agent", "lag_seconds"):
        del body[key]
    assert body == {
        "period": {"start": "2026-03-10T00:00:00Z", "end": "2026-04-10T00:00:00Z"},
        "currency": "USD",
        "totals": {
            "requests": 3,
            "input_tokens": 2010,
            "output_tokens": 201,
            "cached_input_tokens": 400,
            "cost": "0.231575000",
            "byok_cost": "0.000000000",
        },
        "by_product": [
            {"product": "pstn", "unit": "minute", "quantity": "12.5", "cost": "0.225000000"},
            {"product": "llm", "unit": "token", "quantity": "2211", "cost": "0.006575000"},
        ],
        "by_model": [
            {
                "provider": "openai",
                "model": "gpt-4o",
                "credential_source": "platform",
                "requests": 2,
                "input_tokens": 2000,
                "output_tokens": 200,
                "cached_input_tokens": 400,
                "cost": "0.006500000",
            },
            {
                "provider": "anthropic",
                "model": "claude-opus-4-5",
                "credential_source": "platform",
                "requests": 1,
                "input_tokens": 10,
                "output_tokens": 1,
                "cached_input_tokens": 0,
                "cost": "0.000075000",
            },
        ],
    }


def test_sums_by_place(customer: Customer) -> None:
    """U5, U7: by workspace, office and agent, the dearest first, each adding up to the totals; folded or not."""
    make_workspace(customer.tenant, "other", account=customer.account)
    report(customer, office="sales", agent="ada")
    report(customer, office="sales", agent="bob", input_tokens=500, output_tokens=0)
    flush_all_rollups()
    report(customer, office="sales", agent="ada", cached_input_tokens=1000)
    report(customer, workspace="other", product="pstn", quantity="12.5")
    body = get(PATH, customer.key).json()
    main = {"workspace": "main", "requests": 3, "input_tokens": 2500, "output_tokens": 200}
    main |= {"cached_input_tokens": 1000, "cost": "0.007000000", "byok_cost": "0.000000000"}
    calls = dict.fromkeys(("requests", "input_tokens", "output_tokens", "cached_input_tokens"), 0)
    other = {"workspace": "other", **calls, "cost": "0.225000000", "byok_cost": "0.000000000"}
    assert body["by_workspace"] == [other, main]
    assert body["by_office"] == [other | {"office": ""}, main | {"office": "sales"}]
    assert [(one["agent"], one["office"], one["requests"], one["cost"]) for one in body["by_agent"]] == [
        ("", "", 0, "0.225000000"),
        ("ada", "sales", 2, "0.005750000"),
        ("bob", "sales", 1, "0.001250000"),
    ]
    assert body["totals"]["cost"] == "0.232000000"


def test_lag_is_shown(customer: Customer) -> None:
    """U4: how long the oldest usage of the account has waited for the worker; none when it has been there."""
    report(make_customer(balance="1", at=JANUARY), at=AT - HOUR)
    report(customer, at=AT - timedelta(minutes=1))
    assert get(PATH, customer.key).json()["lag_seconds"] == pytest.approx(60, abs=5)
    flush_all_rollups()
    assert get(PATH, customer.key).json()["lag_seconds"] == 0


def test_nothing_used(customer: Customer) -> None:
    """U5: a period without usage has zeros and empty lists."""
    body = get(PATH, customer.key).json()
    assert (body["totals"]["requests"], body["totals"]["cost"]) == (0, "0.000000000")
    assert (body["by_product"], body["by_model"]) == ([], [])
    assert (body["by_workspace"], body["by_office"], body["by_agent"], body["lag_seconds"]) == ([], [], [], 0)


def test_same_before_and_after_the_flush(customer: Customer, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """U4: exact at once, unchanged by the worker's fold, and in as many queries whatever the number of events."""
    for _ in range(20):
        report(customer)
    with django_assert_num_queries(7):
        before = get(PATH, customer.key).json()
    assert flush_all_rollups() == 20
    report(customer)
    with django_assert_num_queries(7):
        after = get(PATH, customer.key).json()
    assert (before["totals"]["requests"], after["totals"]["requests"]) == (20, 21)
    assert before["totals"]["cost"] == "0.070000000"


def test_own_keys_are_told_apart(catalogue: None) -> None:
    """U7: what ran on the tenant's own keys is shown with what it would have cost, as a part that nobody bills."""
    customer = make_customer("platform-starter")
    report(customer)
    body = get(PATH, customer.key).json()
    assert (body["totals"]["cost"], body["totals"]["byok_cost"]) == ("0.003500000", "0.003500000")
    assert body["by_model"][0]["credential_source"] == "byok"


def test_one_workspace(customer: Customer) -> None:
    """U5: the workspace's address, `?workspace=` and a key of the workspace narrow to it; the account's has all."""
    other = make_workspace(customer.tenant, "other", account=customer.account)
    report(customer)
    report(customer, workspace="other", input_tokens=1, output_tokens=0)
    bound = make_api_key(customer.tenant, workspace=other)
    tokens = [
        get(path, key).json()["totals"]["input_tokens"]
        for path, key in (
            (PATH, customer.key),
            (f"{PATH}?workspace=main", customer.key),
            ("/v1/workspaces/other/billing/usage", customer.key),
            (f"/v1/workspaces/{other.id}/billing/usage", customer.key),
            (PATH, bound),
        )
    ]
    assert tokens == [1001, 1000, 1, 1, 1]


@pytest.mark.parametrize(
    ("period", "start", "requests"),
    [
        ("current", "2026-03-10", 2),
        ("previous", "2026-02-10", 1),
        ("2026-02-10T00:00:00Z", "2026-02-10", 1),
        ("2026-03-09T23:59:59.999999Z", "2026-02-10", 1),
        ("2026-03-10T01:00:00%2B02:00", "2026-02-10", 1),
        ("2026-03-10T00:00:00Z", "2026-03-10", 2),
        ("2026-01-09T00:00:00Z", "2025-12-10", 0),
        ("2027-01-09T00:00:00Z", "2026-12-10", 0),
    ],
)
def test_which_period(customer: Customer, period: str, start: str, requests: int) -> None:
    """P5, U5: the current one, the one before, or the one that an instant lies in; late events are in their own."""
    report(customer)
    report(customer)
    report(customer, occurred_at="2026-02-20T00:00:00Z")
    body = get(f"{PATH}?period={period}", customer.key).json()
    assert (body["period"]["start"], body["totals"]["requests"]) == (f"{start}T00:00:00Z", requests)


def test_previous_period_under_the_plan_of_then(customer: Customer) -> None:
    """P5, P10: after a plan change the period before it is the old plan's, which ended with it."""
    report(customer)
    subscribe(account_id=customer.account.id, plan_slug="pro", at=AT)
    current = get(PATH, customer.key).json()
    previous = get(f"{PATH}?period=previous", customer.key).json()
    assert current["period"] == {"start": "2026-03-10T12:00:00Z", "end": "2026-04-10T12:00:00Z"}
    assert previous["period"] == {"start": "2026-03-10T00:00:00Z", "end": "2026-03-10T12:00:00Z"}
    assert (current["totals"]["requests"], previous["totals"]["requests"]) == (0, 1)


def test_period_inside_the_present_month(customer: Customer) -> None:
    """U5, U6, P5: a plan of some seconds has a period of its own, also where the plan before goes on after it."""
    subscribe(account_id=customer.account.id, plan_slug="pro", at=AT - HOUR)
    report(customer, at=AT - HOUR)
    subscribe(account_id=customer.account.id, plan_slug="payg", at=AT - HOUR / 2)
    for period in ("2026-03-10T11:10:00Z", "previous"):
        body = get(f"{PATH}?period={period}", customer.key).json()
        assert (body["period"]["start"], body["totals"]["requests"]) == ("2026-03-10T11:00:00Z", 1)
        events = get(f"/v1/usage/events?period={period}", customer.key).json()["results"]
        export = get(f"/v1/usage/export?format=jsonl&period={period}", customer.key)
        assert (len(events), len(b"".join(export).splitlines())) == (1, 1)


@pytest.mark.parametrize(
    "period",
    ["next", "2026-03", "2026-03-10T00:00:00", "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
     "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "%00", ""],
)  # fmt: skip
def test_no_period(customer: Customer, period: str) -> None:
    """F3: what is neither a word nor a time with an offset is refused by the field's name."""
    assert field_codes(get(f"{PATH}?period={period}", customer.key)) == {"period": "invalid"}
