"""The usage page (F1, U5)."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape

import pytest
import time_machine

from billing.subscriptions.services.subscribe import subscribe
from billing.usage.services.flush_rollups import flush_all_rollups
from tests.console.make import HTMX, QueryCount, ingest, make_calls, make_client, make_minutes
from tests.console.usage import make_events
from tests.make import AT, Customer, make_customer, make_workspace


def test_totals_are_exact(customer: Customer) -> None:
    """U5, M11: to the last of nine decimals, and visibly so."""
    make_calls(customer, "gpt-4o", 3)
    make_calls(customer, "gpt-4o-mini", 7)
    make_minutes(customer, "12.5")
    response = make_client(customer.tenant).get("/usage/")
    page = response.context["page"]
    assert (page.billed, page.totals.own_key_cost, page.totals.requests) == (Decimal("0.240390000"), 0, 10)
    assert page.tokens == 12000
    assert [row.part.label for row in page.breakdown.rows] == ["No model", "gpt-4o", "gpt-4o-mini"]
    for figure in ("$0.013500000", "$0.001890000", "$0.225000000", "$0.240390000"):
        assert figure in response.text


def test_figures_are_the_same_before_and_after_the_worker(customer: Customer) -> None:
    """U4: what no worker has folded yet is included, and the page tells how much of it there is."""
    make_calls(customer, "gpt-4o", 5)
    client = make_client(customer.tenant)
    before = client.get("/usage/?view=agent")
    assert "1 change waits to be folded, the oldest for 0 s" in before.text
    assert flush_all_rollups() > 0
    after = client.get("/usage/?view=agent")
    assert "Everything recorded is counted, and all of it is folded" in after.text
    for part in ("totals", "billed", "daily", "breakdown"):
        assert getattr(after.context["page"], part) == getattr(before.context["page"], part)


@pytest.mark.parametrize("path", ["/usage/", "/usage/sessions"])
def test_swap_is_the_fragment_that_the_page_includes(customer: Customer, path: str) -> None:
    """F1: htmx gets the results alone, and caches are told that there are two answers."""
    make_events(customer, [{"session": "one"}])
    client = make_client(customer.tenant)
    page, fragment = client.get(path), client.get(path, headers=HTMX)
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
    make_workspace(customer.tenant, "third", account=customer.account)
    make_calls(customer, "gpt-4o", 2)
    make_calls(customer, "gpt-4o", 1, workspace="second")
    client = make_client(customer.tenant)
    assert client.get("/usage/").context["page"].totals.requests == 3
    second = client.get("/usage/?workspace=second")
    assert second.context["page"].billed == Decimal("0.0045")
    assert 'value="second" selected' in second.text
    empty = client.get("/usage/?workspace=third").text
    assert "No usage in Third" in empty
    assert 'href="/usage/?period=2026-03-10">Show all workspaces' in empty


def test_unknown_filters_are_not_found(customer: Customer) -> None:
    """F3: a workspace of another tenant or another account answers as one that does not exist."""
    foreign = make_customer("free")
    make_workspace(foreign.tenant, "theirs", account=foreign.account)
    client = make_client(customer.tenant)
    for query in ("workspace=theirs", "workspace=nothing", "workspace=%00", "period=2019", "period=%00", "view=user"):
        assert client.get(f"/usage/?{query}").status_code == 404
        if not query.startswith("view"):
            assert client.get(f"/usage/sessions?{query}").status_code == 404


def test_earlier_periods(customer: Customer, clock: time_machine.Traveller) -> None:
    """P5: each by its first day, back to the account's first; an address means the same period for ever."""
    make_calls(customer, "gpt-4o", 2)
    clock.move_to(datetime(2026, 5, 15, tzinfo=UTC))
    client = make_client(customer.tenant)
    now = client.get("/usage/").context["page"]
    assert [option.key for option in now.choice.periods] == ["2026-05-10", "2026-04-10", "2026-03-10"]
    assert now.totals.requests == 0
    assert client.get("/usage/?period=previous").context["page"].choice.option.key == "2026-04-10"
    page = client.get("/usage/?period=2026-03-10").context["page"]
    assert page.totals.requests == 2
    assert [row.day.day for row in page.daily] == [*range(10, 32), *range(1, 10)]
    assert (page.choice.later_query, page.choice.earlier) == ("period=2026-04-10", None)
    assert client.get("/usage/?period=2026-02-10").status_code == 404


def test_period_after_a_change_of_plan(customer: Customer, clock: time_machine.Traveller) -> None:
    """P5: a paid plan starts periods of its own; what ran before is found under the old plan's dates."""
    make_calls(customer, "gpt-4o", 2)
    clock.move_to(datetime(2026, 3, 20, 8, tzinfo=UTC))
    subscribe(account_id=customer.account.id, plan_slug="pro", at=datetime(2026, 3, 20, 8, tzinfo=UTC))
    page = make_client(customer.tenant).get("/usage/?period=previous").context["page"]
    assert (page.choice.option.key, page.totals.requests) == ("2026-03-10", 2)
    assert page.choice.later_query == "period=2026-03-20T08%3A00%3A00Z"


def test_period_in_the_tenants_zone(customer: Customer) -> None:
    """P5, F1: read in the tenant's zone, with what that is in UTC."""
    customer.tenant.timezone = "America/New_York"
    customer.tenant.save()
    response = make_client(customer.tenant).get("/usage/")
    assert response.context["page"].choice.option.label == "9 Mar to 9 Apr 2026"
    assert ">9 Mar 2026, 20:00 EDT</time>" in response.text
    assert "That is 10 Mar 2026, 00:00 UTC to 10 Apr 2026, 00:00 UTC" in response.text


def test_period_before_the_account_is_not_found(customer: Customer) -> None:
    """P5: a new account has had one period."""
    for path in ("/usage/", "/usage/sessions", "/usage/export"):
        assert make_client(customer.tenant).get(f"{path}?period=previous&format=csv").status_code == 404


def test_empty_period_leads_to_the_latest_usage(customer: Customer, clock: time_machine.Traveller) -> None:
    """F1: for costs and for sessions."""
    make_calls(customer, "gpt-4o", 2)
    clock.move_to(datetime(2026, 5, 15, tzinfo=UTC))
    client = make_client(customer.tenant)
    for path, what in (("/usage/", "usage"), ("/usage/sessions", "sessions")):
        text = client.get(path).text
        assert f"No {what} in this period" in text
        assert f'href="{path}?period=2026-03-10">Show 10 Mar to 10 Apr 2026' in text


def test_new_account_is_shown_how_to_begin(customer: Customer) -> None:
    """F1, U1: the event that the page shows is accepted as it stands."""
    client = make_client(customer.tenant)
    text = client.get("/usage/").text
    assert "No usage yet" in text
    shown = re.search(r"-d &#x27;(.*?)&#x27;|-d '(.*?)'", text, re.DOTALL)
    assert shown is not None
    ingest(customer, [json.loads(unescape(shown[1] or shown[2]))], at=AT)
    assert client.get("/usage/").context["page"].totals.requests == 1


QUERIES = {"product": 11, "model": 11, "workspace": 12, "office": 14, "agent": 14}


@pytest.mark.parametrize("number", [1, 60])
@pytest.mark.parametrize("view", QUERIES)
def test_queries(customer: Customer, django_assert_num_queries: QueryCount, view: str, number: int) -> None:
    """U4: session, user, two for accounts, two for periods, meters, days, plans, lag, frame; workspaces' names; places
    and names of offices: the same for any number of events and places.
    """
    client = make_client(customer.tenant)
    make_events(customer, [{"office": f"o{n}", "agent": f"a{n}", "model": "gpt-4o"} for n in range(number)])
    with django_assert_num_queries(QUERIES[view]):
        client.get(f"/usage/?view={view}&all=1")
