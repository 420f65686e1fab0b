"""GET /v1/quota/tokens."""

import pytest
from django.db import OperationalError
from pytest_django import DjangoAssertNumQueries

from billing.api.views import quota
from billing.usage.services.flush_rollups import flush_all_rollups
from tests.api.calls import get
from tests.api.report import report
from tests.make import make_customer

PATH = "/v1/quota/tokens"
WINDOW = {"window_start": "2026-03-10T00:00:00Z", "window_end": "2026-04-10T00:00:00Z"}


def test_allowance_of_a_plan(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """P3: limit, used and remaining of the period, before and after the rollups are folded."""
    customer = make_customer("starter")
    limit = get(PATH, customer.key).json()["limit"]
    report(customer)
    with django_assert_num_queries(8):
        assert get(PATH, customer.key).json() == {"limit": limit, "used": 1100, "remaining": limit - 1100, **WINDOW}
    flush_all_rollups()
    assert get(PATH, customer.key).json()["used"] == 1100


def test_unlimited() -> None:
    """P3: without a limit there is none to tell, but what was used is."""
    customer = make_customer(balance="1")
    report(customer)
    assert get(PATH, customer.key).json() == {"limit": None, "used": 1100, "remaining": None, **WINDOW}


def test_own_keys_do_not_count() -> None:
    """U7: tokens on the tenant's own keys use up nothing."""
    customer = make_customer("platform-starter")
    report(customer)
    assert get(PATH, customer.key).json()["used"] == 0


def test_momentarily_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """P3: while the counter cannot be read the limit still is told, and used is null."""

    def broken(**_: object) -> None:
        raise OperationalError("gone")

    customer = make_customer("starter")
    monkeypatch.setattr(quota, "counters_of", broken)
    body = get(PATH, customer.key).json()
    assert body["limit"] > 0
    assert (body["used"], body["remaining"]) == (None, None)
