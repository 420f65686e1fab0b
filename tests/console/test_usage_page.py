"""The usage page (F1, U5)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine

from billing.subscriptions.services.subscribe import subscribe
from billing.usage.services.flush_rollups import flush_all_rollups
from tests.console.make import HTMX, QueryCount, make_calls, make_client, make_minutes
from tests.make import AT, Customer, make_customer, make_workspace


def test_models_and_products_add_up_to_the_total(customer: Customer) -> None:
    """U5, M11: to the last of nine decimals, and visibly so."""
    make_calls(customer, "gpt-4o", 3)
    make_calls(customer, "gpt-4o-mini", 7)
    make_minutes(customer, "12.5")
    response = make_client(customer.tenant).get("/usage/")
    page = response.context["page"]
    assert [(row.model, row.requests, row.cost) for row in page.by_model] == [
        ("gpt-4o", 3, Decimal("0.013500000")),
        ("gpt-4o-mini", 7, Decimal("0.001890000")),
    ]
    assert [(row.product, row.unit, row.quantity, row.cost) for row in page.by_product] == [
        ("llm", "token", Decimal(12000), Decimal("0.015390000")),
        ("pstn", "minute", Decimal("12.5"), Decimal("0.225000000")),
    ]
    assert page.models_cost == Decimal("0.015390000")
    assert page.totals.cost == sum(row.cost for row in page.by_product) == Decimal("0.240390000")
    for figure in ("$0.013500000", "$0.001890000", "$0.015390000", "$0.240390000", "12.5 minutes"):
        assert figure in response.text


def test_figures_are_the_same_before_and_after_the_worker(customer: Customer) -> None:
    """U4: what no worker has folded yet is included."""
    make_calls(customer, "gpt-4o", 5)
    client = make_client(customer.tenant)
    before = client.get("/usage/").context["page"]
    assert flush_all_rollups() > 0
    assert client.get("/usage/").context["page"] == before


def test_swap_is_the_fragment_that_the_page_includes(customer: Customer) -> None:
    """F1: htmx gets the results alone, and caches are told that there are two answers."""
    make_calls(customer, "gpt-4o", 1)
    client = make_client(customer.tenant)
    page, fragment = client.get("/usage/"), client.get("/usage/", headers=HTMX)
    assert "<html" not in fragment.text
    assert " ".join(fragment.text.split()) in " ".join(page.text.split())
    for response in (page, fragment):
        assert {"HX-Request", "HX-History-Restore-Request", "Cookie"} <= set(response["Vary"].split(", "))
        assert response["Cache-Control"] == "private, no-cache"


def test_going_back_in_the_history_gets_the_page(customer: Customer) -> None:
    """F1: htmx asks for the address of a page that it has lost."""
    headers = HTMX | {"HX-History-Restore-Request": "true"}
    assert "<html" in make_client(customer.tenant).get("/usage/", headers=headers).text


def test_workspace_narrows_it(customer: Customer) -> None:
    """U5: another workspace of the account, and an empty one."""
    make_workspace(customer.tenant, "second", account=customer.account)
    make_calls(customer, "gpt-4o", 2)
    make_calls(customer, "gpt-4o", 1, workspace="second")
    client = make_client(customer.tenant)
    assert client.get("/usage/").context["page"].totals.requests == 3
    assert client.get("/usage/?workspace=second").context["page"].totals.cost == Decimal("0.0045")
    assert 'value="second" selected' in client.get("/usage/?workspace=second").text


def test_unknown_filters_are_not_found(customer: Customer) -> None:
    """F3: a workspace of another tenant or another account answers as one that does not exist."""
    foreign = make_customer("free")
    make_workspace(foreign.tenant, "theirs", account=foreign.account)
    client = make_client(customer.tenant)
    for query in ("workspace=theirs", "workspace=nothing", "period=2019"):
        assert client.get(f"/usage/?{query}").status_code == 404


def test_previous_period(customer: Customer, clock: time_machine.Traveller) -> None:
    """P5: the period that ended when the current one began."""
    make_calls(customer, "gpt-4o", 2)
    clock.move_to(datetime(2026, 4, 15, tzinfo=UTC))
    client = make_client(customer.tenant)
    assert client.get("/usage/").context["page"].totals.requests == 0
    page = client.get("/usage/?period=previous").context["page"]
    assert (page.period.start, page.period.end) == (
        datetime(2026, 3, 10, tzinfo=UTC),
        datetime(2026, 4, 10, tzinfo=UTC),
    )
    assert page.totals.requests == 2
    assert [row.day.day for row in page.daily] == [*range(10, 32), *range(1, 10)]


def test_previous_period_after_a_change_of_plan(customer: Customer, clock: time_machine.Traveller) -> None:
    """P5: a paid plan starts periods of its own; what ran before is found under the old plan's dates."""
    make_calls(customer, "gpt-4o", 2)
    clock.move_to(datetime(2026, 3, 20, 8, tzinfo=UTC))
    subscribe(account_id=customer.account.id, plan_slug="pro", at=datetime(2026, 3, 20, 8, tzinfo=UTC))
    page = make_client(customer.tenant).get("/usage/?period=previous").context["page"]
    assert (page.period.start, page.totals.requests) == (datetime(2026, 3, 10, tzinfo=UTC), 2)


def test_previous_period_of_a_new_account_is_empty(customer: Customer) -> None:
    """P5: it is shown, with nothing in it."""
    response = make_client(customer.tenant).get("/usage/?period=previous")
    assert response.context["page"].period.end == datetime(2026, 3, 10, tzinfo=UTC)
    assert "No usage in this period" in response.text


def test_own_keys_are_shown_and_not_billed(catalogue: None, clock: time_machine.Traveller) -> None:
    """U7: a plan of the strict own-key kind."""
    customer = make_customer("platform-growth")
    make_calls(customer, "gpt-4o", 2)
    response = make_client(customer.tenant).get("/usage/")
    assert [row.credential_source for row in response.context["page"].by_model] == ["byok"]
    assert "On your own keys, not billed" in response.text
    assert "Your key" in response.text


@pytest.mark.parametrize("number", [1, 60])
def test_queries(customer: Customer, django_assert_num_queries: QueryCount, number: int) -> None:
    """U4: session, user, two for accounts, subscription, two for readings, frame: the same for any number of events."""
    client = make_client(customer.tenant)
    make_calls(customer, "gpt-4o", number, at=AT)
    with django_assert_num_queries(8):
        client.get("/usage/")
