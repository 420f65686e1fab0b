"""A period's cost by product, model, workspace, office and agent (U5, U7)."""

from decimal import Decimal

import pytest
import time_machine

from billing.console.pages.usage_breakdown import MOST, SHOWN, VIEWS, breakdown
from billing.console.pages.usage_parts import Part
from billing.core.ids import encode_id
from billing.usage.services.create_agent import create_agent
from billing.usage.sums import Totals
from tenants.models import Office
from tests.console.make import make_calls, make_client, make_minutes
from tests.console.usage import breakdown_rows, make_event, make_events
from tests.make import AT, Customer, make_customer, make_workspace


def part(label: str, cost: str, own: str = "0") -> Part:
    return Part(label, "", requests=1, tokens=2, cost=Decimal(cost), own_key_cost=Decimal(own))


def totals(parts: list[Part]) -> Totals:
    cost, own = sum(one.cost for one in parts), sum(one.own_key_cost for one in parts)
    return Totals(len(parts), 0, 0, 0, Decimal(cost), Decimal(own))


def test_by_product(customer: Customer) -> None:
    """U5: in the product's unit, the costliest first."""
    make_calls(customer, "gpt-4o", 3)
    make_minutes(customer, "12.5")
    rows = make_client(customer.tenant).get("/usage/?view=product").context["page"].breakdown.rows
    assert [(row.part.label, row.part.quantity, row.part.cost) for row in rows] == [
        ("Phone calls", "12.5 minutes", Decimal("0.225")),
        ("Language models", "3,600 tokens", Decimal("0.0135")),
    ]


def test_by_model(customer: Customer) -> None:
    """U5: what called no model has a row of its own, so that the rows add up to the total."""
    make_calls(customer, "gpt-4o", 2)
    make_calls(customer, "gpt-4o-mini", 1)
    make_minutes(customer, "1")
    assert breakdown_rows(make_client(customer.tenant), "view=model") == [
        ("No model", "Phone calls", "0.018000000"),
        ("gpt-4o", "openai", "0.009000000"),
        ("gpt-4o-mini", "openai", "0.000270000"),
    ]


def test_by_workspace(customer: Customer) -> None:
    """U5: by name, its slug beside it."""
    make_workspace(customer.tenant, "second", account=customer.account)
    make_calls(customer, "gpt-4o", 1)
    make_calls(customer, "gpt-4o", 2, workspace="second")
    assert breakdown_rows(make_client(customer.tenant), "view=workspace") == [
        ("Second", "second", "0.009000000"),
        ("Main", "main", "0.004500000"),
    ]


def test_by_office(customer: Customer) -> None:
    """U5: a registered office by its name, any other as the events call it, and usage that named none is told so."""
    Office.objects.create(workspace=customer.workspace, slug="support", name="Customer support")
    make_events(customer, [{"office": "support"}] * 3 + [{"office": "sales"}] * 2 + [{}])
    assert breakdown_rows(make_client(customer.tenant), "view=office") == [
        ("Customer support", "Main", "0.013500000"),
        ("sales", "Main", "0.009000000"),
        ("No office", "Main", "0.004500000"),
    ]


def test_by_agent(customer: Customer) -> None:
    """U5: the same name in two offices is two agents; a registered one is called by its name."""
    triage = create_agent(workspace_id=customer.workspace.id, name="Triage", at=AT)
    events = [{"agent": encode_id("agt", triage.id)}] * 4 + [{"agent": "Bot", "office": "a"}] * 3
    make_events(customer, [*events, *[{"agent": "Bot", "office": "b"}] * 2, {}])
    assert breakdown_rows(make_client(customer.tenant), "view=agent") == [
        ("Triage", "Main", "0.018000000"),
        ("Bot", "Main › a", "0.013500000"),
        ("Bot", "Main › b", "0.009000000"),
        ("No agent", "Main", "0.004500000"),
    ]


@pytest.mark.parametrize("view", VIEWS)
def test_own_keys_are_shown_and_not_billed(catalogue: None, clock: time_machine.Traveller, view: str) -> None:
    """U7: what it would have cost stands beside the billed cost of phone calls, in every view."""
    customer = make_customer("platform-growth")
    make_calls(customer, "gpt-4o", 2)
    make_minutes(customer, "100000")
    response = make_client(customer.tenant).get(f"/usage/?view={view}")
    page = response.context["page"]
    assert page.totals.own_key_cost == Decimal("0.009")
    assert page.billed == page.totals.cost - Decimal("0.009") > 0
    assert sum(row.part.billed for row in page.breakdown.rows) == page.billed
    assert sum(row.part.own_key_cost for row in page.breakdown.rows) == Decimal("0.009")
    assert "$0.009000000 is what it would have cost; not billed" in response.text
    assert '"own": ["0.009000000"]' in response.text


def test_only_own_keys(catalogue: None, clock: time_machine.Traveller) -> None:
    """U7: where nothing is billed, shares are of what it would have cost."""
    customer = make_customer("platform-growth")
    make_calls(customer, "gpt-4o", 2)
    page = make_client(customer.tenant).get("/usage/").context["page"]
    assert page.breakdown.shares_own_keys
    assert [(row.part.badge, row.share, row.part.billed) for row in page.breakdown.rows] == [("Your key", 100, 0)]


def test_many_rows_are_cut(customer: Customer) -> None:
    """F1: the costliest are listed, the others added up, and one click shows them all; the total stays."""
    for number in range(SHOWN + 5):
        make_event(customer, agent=f"agent-{number:02}", input_tokens=1000 + number)
    client = make_client(customer.tenant)
    cut, whole = client.get("/usage/?view=agent"), client.get("/usage/?view=agent&all=1")
    short, full = cut.context["page"].breakdown, whole.context["page"].breakdown
    assert (len(short.rows), short.rest.part.label, short.hidden) == (SHOWN, "5 other agents", 5)
    assert (len(full.rows), full.rest) == (SHOWN + 5, None)
    listed = sum(row.part.cost for row in short.rows) + short.rest.part.cost
    assert listed == sum(row.part.cost for row in full.rows) == cut.context["page"].totals.cost
    assert "Show all 15 agents" in cut.text
    assert "Show the costliest only" in whole.text


def test_one_row_more_is_not_cut() -> None:
    """F1: a row that says "1 other" would take its place."""
    parts = [part(str(number), "1") for number in range(SHOWN + 1)]
    assert breakdown(VIEWS["agent"], parts, totals(parts), show_all=False).rest is None


def test_page_bears_so_many_rows() -> None:
    """F1: all of them are as many as a page can bear, the others are added up."""
    parts = [part(str(number), "1") for number in range(MOST + 20)]
    whole = breakdown(VIEWS["agent"], parts, totals(parts), show_all=True)
    assert (len(whole.rows), whole.hidden, whole.is_cut, whole.has_more) == (MOST, 20, False, True)


def test_shares_and_bars() -> None:
    """U7: shares are of the billed sum; bars of both kinds together, in percent of the longest."""
    parts = [part("both", "8", "6"), part("billed", "6"), part("own", "4", "4"), part("less than nothing", "-1")]
    rows = breakdown(VIEWS["model"], parts, totals(parts), show_all=False).rows
    assert [f"{row.part.label}: {row.billed_bar} and {row.own_key_bar}" for row in rows] == [
        "both: 25 and 75",
        "billed: 75 and 0",
        "own: 0 and 50",
        "less than nothing: 0 and 0",
    ]
    assert [None if row.share is None else round(row.share, 1) for row in rows] == [
        Decimal("28.6"),
        Decimal("85.7"),
        None,
        Decimal("-14.3"),
    ]
