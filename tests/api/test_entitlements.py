"""GET /v1/workspaces/{workspace}/billing/entitlements."""

from datetime import timedelta

from pytest_django import DjangoAssertNumQueries

from billing.subscriptions.services.override_entitlement import override_entitlement
from billing.subscriptions.services.subscribe import subscribe
from tests.api.calls import call, get, refusal
from tests.api.report import report
from tests.make import AT, make_api_key, make_customer, make_tenant, make_workspace
from tests.money_make import start
from tests.runtime.limits import control, use_up

PATH = "/v1/workspaces/main/billing/entitlements"


def test_free(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """P3: every entitlement of the plan with its value, and what is used of those that are counted, and of no other."""
    customer = make_customer("free")
    report(customer, input_tokens=70, output_tokens=7, model="gpt-4o-mini")
    call("POST", "/v1/workspaces/main/agents", customer.key, {"name": "Ada"})
    call("POST", "/v1/workspaces/main/kb/sources", customer.key, {"name": "a", "bytes": 1000})
    with django_assert_num_queries(12):
        body = get(PATH, customer.key).json()
    denied = body["entitlements"].pop("denied_models")
    assert "*gpt-4o" in denied
    assert body == {
        "plan_slug": "free",
        "period": {"start": "2026-03-10T00:00:00Z", "end": "2026-04-10T00:00:00Z"},
        "entitlements": {
            "agents_limit": 3,
            "executions_per_month": 100,
            "sandbox_tries_per_day": 5,
            "concurrent_sessions_limit": 3,
            "session_runs_per_minute": 60,
            "session_repeats_limit": 50,
            "max_tokens_per_execution": 50_000,
            "kb_storage_bytes_limit": 104_857_600,
            "kb_max_upload_bytes_limit": 5_242_880,
            "spend_cap_per_user_day": "1.00",
            "channels": ["webhook"],
            "mcp_enabled": False,
            "byok_enabled": True,
            "log_retention_seconds": 86_400,
            "support": "Community",
            "sla": "None",
        },
        "usage": {
            "agents_limit": {"used": 1, "remaining": 2},
            "executions_per_month": {"used": 1, "remaining": 99},
            "sandbox_tries_per_day": {"used": 0, "remaining": 5},
            "concurrent_sessions_limit": {"used": 0, "remaining": 3},
            "kb_storage_bytes_limit": {"used": 1000, "remaining": 104_856_600},
        },
        "spend": {},
        "overage": {"enabled": False, "price": "0.02", "ceiling": None, "used": "0.000000000"},
        "sources": dict.fromkeys([*body["entitlements"], "denied_models"], "plan:free"),
        "throttles": {},
    }


def test_seats_multiply() -> None:
    """P3, P7: Team counts executions, and where they slow down, by the seat."""
    customer = make_customer("team", at=AT - timedelta(days=1))
    subscribe(account_id=customer.account.id, plan_slug="team", at=AT, seats=3)
    body = get(PATH, customer.key).json()
    assert body["entitlements"]["executions_per_month"] == 75_000
    assert body["throttles"]["executions_per_month"]["after"] == 45_000


def test_override_and_overuse() -> None:
    """P3: staff's exception replaces the plan's value, is named as the source, and never leaves less than nothing."""
    customer = make_customer("free")
    for _ in range(2):
        call("POST", "/v1/workspaces/main/agents", customer.key, {"name": "Ada"})
    override_entitlement(account_id=customer.account.id, feature="agents_limit", value=1, reason="deal", at=AT)
    body = get(PATH, customer.key).json()
    assert body["entitlements"]["agents_limit"] == 1
    assert body["sources"]["agents_limit"] == "override"
    assert body["usage"]["agents_limit"] == {"used": 2, "remaining": 0}


def test_throttle() -> None:
    """P7: a soft limit is told beside the hard one."""
    body = get(PATH, make_customer("pro").key).json()
    assert body["entitlements"]["executions_per_month"] == 5000
    assert body["throttles"] == {"executions_per_month": {"after": 3000, "per_minute": 1}}


def test_everything_that_is_counted() -> None:
    """P3, P9, M9: tries of the day, sessions, the day's spending and overage, with what is running."""
    customer = make_customer("pro")
    control(customer, overage_enabled=True, overage_ceiling="1", daily_cap="2.5")
    use_up(customer, "executions_per_month", "5000")
    start(customer, session="a", sandbox=True)
    start(customer, session="b")
    body = get(PATH, customer.key).json()
    assert body["usage"]["sandbox_tries_per_day"] == {"used": 1, "remaining": 49}
    assert body["usage"]["concurrent_sessions_limit"] == {"used": 2, "remaining": 18}
    assert body["usage"]["executions_per_month"] == {"used": 5001, "remaining": 0}
    assert body["spend"] == {"spend_cap_per_day": {"used": "0.025000000", "remaining": "2.475000000"}}
    assert (body["entitlements"]["spend_cap_per_day"], body["sources"]["spend_cap_per_day"]) == ("2.50", "cap")
    assert body["overage"] == {"enabled": True, "price": "0.01", "ceiling": "1.00", "used": "0.010000000"}


def test_tokens_and_no_overage() -> None:
    """P3, P8: a plan of tokens counts them, and sells no executions."""
    customer = make_customer("starter")
    report(customer)
    body = get(PATH, customer.key).json()
    assert body["usage"]["tokens_per_month"]["used"] == 1100
    assert body["overage"] == {"enabled": False, "price": None, "ceiling": None, "used": "0.000000000"}


def test_without_an_account() -> None:
    """P11: a workspace that nobody pays for is entitled to nothing: 402, with what to do."""
    tenant = make_tenant()
    make_workspace(tenant)
    response = get(PATH, make_api_key(tenant))
    assert refusal(response) == (402, "no-active-plan")
    assert response.json()["remedy"] == "Choose a plan."
