"""GET /v1/pricing/plans and GET /v1/workspaces/{workspace}/billing/plans."""

from typing import Any

from pytest_django import DjangoAssertNumQueries

from billing.plans.models import Plan
from tests.api.calls import get
from tests.make import make_api_key, make_customer, make_tenant, make_workspace, publish_pro

PUBLIC = "/v1/pricing/plans"
WORKSPACE = "/v1/workspaces/main/billing/plans"


def by_slug(body: dict[str, Any]) -> dict[str, Any]:
    return {plan["slug"]: plan for plan in body["plans"]}


def test_pro_as_everybody_sees_it(catalogue: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """P1, P2, P3: a plan with its version, prices by interval and variant, meters and entitlements; four queries."""
    with django_assert_num_queries(4):
        plan = by_slug(get(PUBLIC).json())["pro"]
    assert {key: plan[key] for key in ("slug", "name", "version", "catalogue", "is_custom")} == {
        "slug": "pro",
        "name": "Pro",
        "version": 1,
        "catalogue": "tiers",
        "is_custom": False,
    }
    assert plan["prices"] == [
        {"interval": interval, "variant": variant, "currency": "USD", "amount": amount, "per_seat": False}
        for interval, variant, amount in (
            ("monthly", "standard", "9.00"),
            ("monthly", "byok", "5.00"),
            ("yearly", "standard", "90.00"),
            ("yearly", "byok", "50.00"),
        )
    ]
    assert plan["entitlements"]["agents_limit"] == 20
    assert plan["entitlements"]["spend_cap_per_user_day"] == "5.00"
    assert plan["entitlements"]["channels"] == ["all"]
    assert {"product": "pstn", "unit": "minute", "currency": "USD", "unit_price": "0.018", "included": "0"} in plan[
        "meters"
    ]


def test_seats_custom_and_unlimited(catalogue: None) -> None:
    """P2, P3: prices by the seat say so, Enterprise is custom, and unlimited is null."""
    plans = by_slug(get(PUBLIC).json())
    assert all(price["per_seat"] for price in plans["team"]["prices"])
    assert "executions_per_month" in plans["team"]["entitlements_per_seat"]
    assert plans["enterprise"]["is_custom"] is True
    assert plans["payg"]["entitlements"]["executions_per_month"] is None


def test_hidden_plans_are_for_who_has_them(catalogue: None) -> None:
    """P1: a plan that is not public is shown to nobody but those on it."""
    free, pro = make_customer("free"), make_customer("pro")
    Plan.objects.filter(slug="pro").update(is_public=False)
    assert "pro" not in by_slug(get(PUBLIC).json())
    assert "pro" not in by_slug(get(WORKSPACE, free.key).json())
    assert "pro" in by_slug(get(WORKSPACE, pro.key).json())


def test_workspace_sees_its_plan(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """P1, P11: the plan is that of the account that pays for the workspace."""
    customer = make_customer("pro")
    with django_assert_num_queries(8):
        body = get(WORKSPACE, customer.key).json()
    assert (body["current_plan_slug"], body["current_plan_version"]) == ("pro", 1)
    assert body["plans"] == get(PUBLIC).json()["plans"]


def test_older_version_is_shown_to_who_is_on_it(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """P1: a subscriber sees the price and the entitlements agreed on; everybody else the published ones."""
    subscriber = make_customer("pro")
    publish_pro("19.00", agents=10)
    newcomer = make_customer("pro")
    with django_assert_num_queries(11):
        body = get(WORKSPACE, subscriber.key).json()
    assert body["current_plan_version"] == 1
    assert terms_shown(body) == (1, "9.00", 20)
    assert terms_shown(get(WORKSPACE, newcomer.key).json()) == (2, "19.00", 10)
    assert terms_shown(get(PUBLIC).json()) == (2, "19.00", 10)
    assert [plan["slug"] for plan in body["plans"]] == [plan["slug"] for plan in get(PUBLIC).json()["plans"]]


def terms_shown(body: dict[str, Any]) -> tuple[int, str, int]:
    plan = by_slug(body)["pro"]
    return plan["version"], plan["prices"][0]["amount"], plan["entitlements"]["agents_limit"]


def test_workspace_without_an_account() -> None:
    """P1: a workspace that nobody pays for yet can look at what there is."""
    tenant = make_tenant()
    make_workspace(tenant)
    body = get(WORKSPACE, make_api_key(tenant)).json()
    assert (body["current_plan_slug"], body["current_plan_version"]) == (None, None)
    assert "free" in by_slug(body)
