"""The session ledger, and a session's own page (U5)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client

from billing.console.pages.usage_sessions import LINES, BadCursor, read_cursor
from billing.usage.models import UsageEvent
from billing.usage.services.flush_rollups import flush_all_rollups
from billing.usage.services.reverse_event import reverse_event
from tenants.models import Office
from tenants.services.record_audit import SYSTEM
from tests.console.make import HTMX, QueryCount, make_client
from tests.console.usage import make_event, make_events
from tests.make import AT, Customer, make_account, make_customer, make_workspace

PHONE: dict[str, Any] = {
    "product": "pstn",
    "quantity": "2.5",
    "provider": "",
    "model": "",
    "input_tokens": 0,
    "output_tokens": 0,
}


def address(session: str, *, workspace: str = "main", period: str = "2026-03-10") -> str:
    return f"/usage/session?{urlencode({'period': period, 'workspace': workspace, 'session': session})}"


def walk(client: Client, url: str, part: str) -> list[Any]:
    """All rows of a list in pages, each page the same as rows for a swap."""
    seen: list[Any] = []
    while url:
        page = client.get(url).context["page"]
        rows = getattr(page, part)
        if seen:
            swapped = client.get(url, headers=HTMX)
            assert swapped.context["page"] == rows
            assert swapped.text.lstrip().startswith("<tr>")
        seen += rows.rows
        url = rows.next_url
    return seen


def test_line_of_a_session(customer: Customer) -> None:
    """U5: where it ran, when it was last heard of in the tenant's zone, tokens and cost; folded or not."""
    customer.tenant.timezone = "Asia/Tokyo"
    customer.tenant.save()
    Office.objects.create(workspace=customer.workspace, slug="desk", name="Front desk")
    make_events(customer, [{"session": "call-1", "office": "desk", "agent": "Voice"}] * 2, at=AT)
    make_event(customer, at=AT + timedelta(minutes=1))
    client = make_client(customer.tenant)
    for _ in range(2):
        response = client.get("/usage/sessions")
        (row,) = response.context["page"].slice.rows
        assert (row.line.session, row.workspace, row.office, row.agent) == ("call-1", "Main", "Front desk", "Voice")
        assert (row.line.requests, row.tokens, row.billed) == (2, 2400, Decimal("0.009"))
        assert "10 Mar 2026, 21:00 JST" in response.text
        flush_all_rollups()


def test_ledger_continues_by_cursor(customer: Customer) -> None:
    """U5: every session once, the latest first."""
    for number in range(LINES * 2 + 5):
        make_event(customer, session=f"s{number}", occurred_at=AT - timedelta(minutes=number // 3))
    rows = walk(make_client(customer.tenant), "/usage/sessions", "slice")
    assert [row.line.last_at for row in rows] == sorted((row.line.last_at for row in rows), reverse=True)
    assert len({row.line.session for row in rows}) == len(rows) == LINES * 2 + 5


@pytest.mark.parametrize("cursor", ["x", "1-", "-1", "1-zz", "99999999999999999999999-" + "0" * 32, "\x00"])
def test_bad_cursor_is_not_found(customer: Customer, cursor: str) -> None:
    """F1: an address that was not ours answers as one that does not exist."""
    make_event(customer, session="s")
    client = make_client(customer.tenant)
    assert client.get("/usage/sessions", {"before": cursor}).status_code == 404
    assert client.get(f"{address('s')}&{urlencode({'before': cursor})}").status_code == 404
    with pytest.raises(BadCursor):
        read_cursor(cursor)


def test_workspace_narrows_the_ledger(customer: Customer) -> None:
    """U5: the same name in two workspaces is two sessions."""
    make_workspace(customer.tenant, "second", account=customer.account)
    make_events(customer, [{"session": "s"}, {"session": "s", "workspace": "second", "model": "gpt-4o-mini"}])
    client = make_client(customer.tenant)
    assert len(client.get("/usage/sessions").context["page"].slice.rows) == 2
    (row,) = client.get("/usage/sessions?workspace=second").context["page"].slice.rows
    assert row.workspace == "Second"
    page = client.get(row.url).context["page"]
    assert [part.label for part in page.parts] == ["gpt-4o-mini"]


def test_usage_without_sessions(customer: Customer) -> None:
    """F1: it says that nothing named one."""
    make_event(customer)
    assert "No sessions in this period" in make_client(customer.tenant).get("/usage/sessions").text


def test_sessions_page(customer: Customer) -> None:
    """U5: its offices and agents, its cost by model and product, its events."""
    session = "one/two & <b>three</b>"
    make_events(customer, [{"session": session, "agent": "A", "cached_input_tokens": 400}] * 2)
    make_event(customer, session=session, agent="B", office="desk", model="gpt-4o-mini")
    make_event(customer, session=session, **PHONE)
    client = make_client(customer.tenant)
    (row,) = client.get("/usage/sessions").context["page"].slice.rows
    response = client.get(row.url)
    page = response.context["page"]
    assert "<b>three" not in response.text
    assert (page.offices, page.agents) == (["desk"], ["A", "B"])
    assert [(part.label, part.quantity) for part in page.parts] == [
        ("Phone calls", "2.5 minutes"),
        ("gpt-4o", ""),
        ("gpt-4o-mini", ""),
    ]
    assert sum(part.billed for part in page.parts) == page.billed == row.billed
    assert [event.what for event in page.events.rows] == ["Phone calls", "gpt-4o-mini", "gpt-4o", "gpt-4o"]
    assert "400 cached" in response.text


def test_correction_is_an_event_of_the_session(customer: Customer) -> None:
    """U3: it takes the first one back."""
    make_events(customer, [{"session": "s"}] * 2)
    event = UsageEvent.objects.filter(account_id=customer.account.id).earliest("id")
    reverse_event(account_id=customer.account.id, event_id=event.id, reason="twice", actor=SYSTEM, at=AT)
    response = make_client(customer.tenant).get(address("s"))
    page = response.context["page"]
    assert (page.totals.requests, page.billed) == (1, Decimal("0.0045"))
    assert [row.is_correction for row in page.events.rows] == [True, False, False]
    assert "−$0.004500000" in response.text


def test_own_keys_of_a_session(catalogue: None, clock: time_machine.Traveller) -> None:
    """U7: what it would have cost, and that it is not billed."""
    customer = make_customer("platform-growth")
    make_event(customer, session="s")
    client = make_client(customer.tenant)
    (row,) = client.get("/usage/sessions").context["page"].slice.rows
    assert (row.billed, row.line.own_key_cost) == (0, Decimal("0.0045"))
    response = client.get(row.url)
    assert response.context["page"].billed == 0
    assert "$0.004500000 is what it would have cost; not billed" in response.text


def test_events_continue_by_cursor(customer: Customer) -> None:
    """U5: every event once."""
    make_events(customer, [{"session": "s", "input_tokens": 1000 + number} for number in range(120)])
    rows = walk(make_client(customer.tenant), address("s"), "events")
    assert [row.input_tokens for row in rows] == [*range(1119, 999, -1)]


def test_sessions_of_others_are_not_found(customer: Customer) -> None:
    """F3: another tenant's, another account's of the tenant, another period's, and what never was."""
    foreign = make_customer(balance="9.00")
    make_event(foreign, session="theirs")
    make_event(customer, session="ours")
    make_account(customer.tenant, "pro", name="A second account", is_default=False)
    client, theirs = make_client(customer.tenant), make_client(foreign.tenant)
    assert client.get(address("ours")).status_code == 200
    assert theirs.get(address("ours")).status_code == 404
    for url in (
        address("theirs"),
        address(""),
        address("ours", workspace="other"),
        address("ours", period="2026-04-10"),
        address("ours", workspace="\x00"),
        address("\x00"),
        "/usage/session",
    ):
        assert client.get(url).status_code == 404, url
    second = next(account for account in client.get("/").context["console"].switch_options if not account.active)
    client.post(second.url)
    assert client.get(address("ours")).status_code == 404
    assert client.get("/usage/sessions").context["page"].slice.rows == []
    assert client.get("/usage/").context["page"].totals.requests == 0


def test_session_of_an_earlier_period(customer: Customer, clock: time_machine.Traveller) -> None:
    """P5: what it used then; its address stays what it was."""
    make_event(customer, session="s")
    clock.move_to(datetime(2026, 4, 15, tzinfo=UTC))
    client = make_client(customer.tenant)
    (row,) = client.get("/usage/sessions?period=previous").context["page"].slice.rows
    assert row.url == address("s")
    assert client.get(row.url).context["page"].totals.requests == 1


@pytest.mark.parametrize("number", [1, 40])
def test_queries_of_the_ledger(customer: Customer, django_assert_num_queries: QueryCount, number: int) -> None:
    """U4: session, user, two for accounts, two for periods, lines, two for names, lag, frame; for older ones no lag."""
    client = make_client(customer.tenant)
    make_events(customer, [{"session": f"s{n}", "agent": f"a{n}"} for n in range(number)])
    with django_assert_num_queries(11):
        page = client.get("/usage/sessions").context["page"]
    if page.slice.next_url:
        with django_assert_num_queries(10):
            client.get(page.slice.next_url, headers=HTMX)


@pytest.mark.parametrize("number", [1, 80])
def test_queries_of_a_session(customer: Customer, django_assert_num_queries: QueryCount, number: int) -> None:
    """U4: session, user, two for accounts and for periods, workspace, span, breakdown, two for names, events, frame."""
    client = make_client(customer.tenant)
    make_events(customer, [{"session": "s", "agent": f"a{n}"} for n in range(number)])
    with django_assert_num_queries(13):
        client.get(address("s"))
