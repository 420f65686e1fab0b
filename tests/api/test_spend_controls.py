"""GET, PUT /v1/billing/spend-controls."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.api.calls import call, field_codes, get, refusal
from tests.make import AT, Key, make_customer
from tests.money_make import finish, start
from tests.runtime.limits import use_up

pytestmark = pytest.mark.usefixtures("catalogue")
PATH = "/v1/billing/spend-controls"
AT_FIRST = {
    "overage_enabled": False,
    "overage_ceiling": None,
    "daily_cap": None,
    "user_daily_cap": None,
    "burn_alerts": True,
    "low_balance_threshold": "10.00",
    "overage_price": "0.01",
    "overage_used": "0.000000000",
    "currency": "USD",
}


def put(key: Key, body: dict[str, Any]) -> Any:
    return call("PUT", PATH, key, body)


def test_nothing_set(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """P8, M9: a new account has no caps of its own, no overage, and alerts."""
    customer = make_customer("pro")
    with django_assert_num_queries(9):
        assert get(PATH, customer.key).json() == AT_FIRST


def test_what_is_left_out_stays() -> None:
    """M9: each call changes what it names; null lifts a cap."""
    customer = make_customer("pro")
    assert put(customer.key, {"daily_cap": "20", "low_balance_threshold": 5.5}).status_code == 200
    body = put(customer.key, {"overage_enabled": True, "overage_ceiling": "12.50", "burn_alerts": False}).json()
    changes = {"overage_enabled": True, "overage_ceiling": "12.50", "burn_alerts": False, "daily_cap": "20.00"}
    assert body == AT_FIRST | changes | {"low_balance_threshold": "5.50"} == get(PATH, customer.key).json()
    assert put(customer.key, {"daily_cap": None}).json()["daily_cap"] is None


def test_overage_used() -> None:
    """P8: what executions past the limit have cost, running ones counted."""
    customer = make_customer("pro")
    put(customer.key, {"overage_enabled": True, "overage_ceiling": "1.00"})
    use_up(customer, "executions_per_month", "5000")
    finish(customer, start(customer, at=AT), at=AT)
    start(customer, at=AT)
    assert get(PATH, customer.key).json()["overage_used"] == "0.020000000"


def test_what_is_wrong() -> None:
    """P8, M9: field by field; 402 where the plan sells nothing past a limit."""
    customer = make_customer("pro")
    assert field_codes(put(customer.key, {})) == {"body": "required"}
    assert field_codes(put(customer.key, {"daily_cap": "-1", "user_daily_cap": "0.001"})) == {
        "daily_cap": "min-value",
        "user_daily_cap": "max-decimal-places",
    }
    assert field_codes(put(customer.key, {"overage_enabled": True})) == {"overage_ceiling": "required"}
    assert field_codes(put(customer.key, {"overage_enabled": "yes", "cap": 1})) == {
        "overage_enabled": "invalid",
        "cap": "unknown-field",
    }
    assert field_codes(put(customer.key, {"daily_cap": "1e3", "low_balance_threshold": None})) == {
        "daily_cap": "invalid",
        "low_balance_threshold": "null",
    }
    opt_in = {"overage_enabled": True, "overage_ceiling": "5"}
    assert refusal(put(make_customer("payg").key, opt_in)) == (402, "overage-not-offered")
