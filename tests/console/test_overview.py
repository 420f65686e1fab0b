"""The overview (F1)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import time_machine

from billing.core.periods import Period
from billing.runtime.services.open_session import open_session
from billing.subscriptions.models import Subscription
from billing.subscriptions.queries import terms_of
from billing.subscriptions.services.subscribe import subscribe
from billing.usage.models import Counter, KnowledgeSource
from tenants.models import Agent
from tests.console.make import QueryCount, make_calls, make_client, make_minutes
from tests.invoices.issued import issue, pay
from tests.make import AT, Customer, make_customer

PERIOD = Period(datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 4, 10, tzinfo=UTC))


def test_figures_of_the_period(customer: Customer) -> None:
    """F1, M3, U5: what was charged is what the balance lost."""
    make_calls(customer, "gpt-4o", 3)
    make_minutes(customer, "12.5")
    page = make_client(customer.tenant).get("/").context["page"]
    assert (page.plan_name, page.period) == ("Pay as you go", PERIOD)
    assert page.totals.cost == Decimal("0.013500000") + Decimal("0.225000000")
    assert (page.totals.requests, page.totals.input_tokens, page.totals.output_tokens) == (3, 3000, 600)
    assert (page.available, page.held, page.balance) == (Decimal("99.7615"), 0, Decimal("99.7615"))
    assert [(row.day, row.requests, row.cost) for row in page.daily] == [(date(2026, 3, 10), 3, Decimal("0.2385"))]


def test_days_without_usage_are_drawn_too(customer: Customer, clock: time_machine.Traveller) -> None:
    """F1: the chart's days follow each other, up to today."""
    make_calls(customer, "gpt-4o", 1)
    clock.move_to(datetime(2026, 3, 12, 1, tzinfo=UTC))
    page = make_client(customer.tenant).get("/").context["page"]
    assert [(row.day.day, row.requests) for row in page.daily] == [(10, 1), (11, 0), (12, 0)]


def test_allowances_name_what_is_used_of_what(customer: Customer) -> None:
    """P3: counters and gauges with their limits."""
    make_calls(customer, "gpt-4o", 2)
    Agent.objects.create(workspace=customer.workspace, name="a")
    Agent.objects.create(workspace=customer.workspace, name="gone", retired_at=AT)
    KnowledgeSource.objects.create(workspace=customer.workspace, name="k", bytes=1_342_177_280)
    rows = {row.label: row for row in make_client(customer.tenant).get("/").context["page"].entitlements}
    agents, executions, stored = rows["Running agents"], rows["Executions per month"], rows["Knowledge base storage"]
    assert (agents.used_text, agents.limit_text, agents.percent) == ("1", "50", 2)
    assert (executions.used_text, executions.unlimited, executions.percent) == ("2", True, None)
    assert (stored.used_text, stored.limit_text, stored.percent) == (
        "1.3\N{NO-BREAK SPACE}GB",
        "5\N{NO-BREAK SPACE}GB",
        25,
    )


def test_allowances_include_tries_and_sessions(customer: Customer) -> None:
    """P3, P9: whatever the plan counts, in the order in which plans are compared."""
    free = make_customer("free")
    open_session(
        account_id=free.account.id,
        tenant_id=free.tenant.id,
        workspace_id=free.workspace.id,
        name="call-1",
        at=AT,
    )
    rows = make_client(free.tenant).get("/").context["page"].entitlements
    assert [(row.label, row.used_text, row.limit_text) for row in rows[:4]] == [
        ("Running agents", "0", "3"),
        ("Executions per month", "0", "100"),
        ("Sandbox tries per day", "0", "5"),
        ("Concurrent sessions", "1", "3"),
    ]
    assert [row.label for row in rows[4:]] == ["Knowledge base storage"]


def test_limits_that_are_nearly_used_up_are_told(customer: Customer) -> None:
    """M9, P6: what happens and what helps, the fullest first; nothing is said below 80 %."""
    free = make_customer("free")
    client = make_client(free.tenant)
    assert "limits-title" not in client.get("/").text
    for name in ("a", "b", "c"):
        Agent.objects.create(workspace=free.workspace, name=name)
    start = terms_of(free.account.id, AT).period(AT).start
    counter = Counter.objects.create(
        account_id=free.account.id, feature="executions_per_month", window_start=start, used=80
    )
    response = client.get("/")
    assert [share.feature for share in response.context["page"].near] == ["agents_limit", "executions_per_month"]
    assert "A limit is used up" in response.text
    assert "New agents are refused. Retire one to make room." in response.text
    assert "It starts over on 10 Apr 2026, 00:00 UTC." in response.text
    counter.used = 100
    counter.save()
    assert "Runs are refused until 10 Apr 2026, 00:00 UTC." in client.get("/").text


def test_low_balance_is_told_where_runs_are_paid_from_it(customer: Customer) -> None:
    """M3, M9: not on a plan that covers its usage."""
    poor, covered = make_customer(balance="10.00"), make_customer("free")
    assert "Your balance is low" in make_client(poor.tenant).get("/").text
    assert "Your balance is low" not in make_client(customer.tenant).get("/").text
    assert "Your balance is low" not in make_client(covered.tenant).get("/").text
    empty = make_client(make_customer().tenant).get("/").text
    assert ("Your credits are used up" in empty, "Your balance is low" in empty) == (True, False)


def test_recent_movements_are_signed(customer: Customer) -> None:
    """M1: money in is positive, money out negative, nothing is rounded."""
    make_calls(customer, "gpt-4o-mini", 1)
    response = make_client(customer.tenant).get("/")
    assert {row.amount for row in response.context["page"].ledger} == {Decimal("-0.00027"), Decimal(100)}
    assert "−$0.00027" in response.text
    assert "+$100.00" in response.text


def test_moments_are_in_the_tenants_time_zone(customer: Customer) -> None:
    """F1: 12:00 UTC on 10 March is 13:00 in Berlin; the period's days stay UTC (P5)."""
    customer.tenant.timezone = "Europe/Berlin"
    customer.tenant.save()
    text = make_client(customer.tenant).get("/").text
    assert "10 Mar 2026, 13:00 CET" in text
    assert "10 Mar 2026 to 10 Apr 2026 UTC" in text


def test_cost_on_own_keys_is_told_apart(catalogue: None, clock: time_machine.Traveller) -> None:
    """U7: it is shown as what it would have cost."""
    customer = make_customer("platform-growth")
    make_calls(customer, "gpt-4o", 2)
    response = make_client(customer.tenant).get("/")
    assert response.context["page"].totals.own_key_cost == Decimal("0.009000000")
    assert "$0.01 of it on your own keys, not billed" in response.text


def test_cost_that_the_plan_covers_is_told(catalogue: None, clock: time_machine.Traveller) -> None:
    """P5, U7: what is included is on no invoice, minutes are; so Overview, Usage and Invoices say one thing."""
    customer = make_customer("pro")
    client = make_client(customer.tenant)
    make_minutes(customer, "10")
    assert "covered by your plan" not in client.get("/").text + client.get("/usage/").text
    make_calls(customer, "gpt-4o", 4)
    clock.shift(timedelta(minutes=1))
    overview = client.get("/")
    page = overview.context["page"]
    assert page.totals.cost - page.covered == client.get("/invoices/").context["page"].running.usage > 0
    assert "$0.02 of it is covered by your plan" in overview.text
    assert "$0.018000000 of it is covered by your plan" in client.get("/usage/").text


def test_cost_under_several_plans(customer: Customer) -> None:
    """P5: where plans of one period pay in different ways no part is named."""
    make_calls(customer, "gpt-4o", 1)
    subscribe(account_id=customer.account.id, plan_slug="free", at=AT + timedelta(days=1))
    assert "your plan may cover a part of it" in make_client(customer.tenant).get("/").text


def test_what_was_paid_of_the_last_invoice(customer: Customer) -> None:
    """I2: with what was carried over the card was charged another sum than the total."""
    pay(issue(customer.account, "70.18", carried=Decimal("6.10")))
    client = make_client(customer.tenant)
    assert "$76.28 paid" in client.get("/").text
    assert "$76.28 paid" in client.get("/invoices/").text


def test_ended_subscription_has_a_page(customer: Customer) -> None:
    """F1: no plan is a state, not an error."""
    Subscription.objects.filter(account=customer.account).delete()
    client = make_client(customer.tenant)
    assert "No active plan" in client.get("/").text
    assert "No active plan" in client.get("/usage/").text
    assert client.get("/plans/").context["page"].current_plan_slug == ""


def test_queries_do_not_grow_with_usage(customer: Customer, django_assert_num_queries: QueryCount) -> None:
    """U4: session, user, two for accounts, five for terms, balance, two for readings, plans, three for allowances, live
    sessions, ledger, invoice, agreement, frame.
    """
    client = make_client(customer.tenant)
    make_calls(customer, "gpt-4o", 1)
    with django_assert_num_queries(21):
        client.get("/")
    make_calls(customer, "gpt-4o", 40)
    make_calls(customer, "gpt-4o-mini", 40)
    with django_assert_num_queries(21):
        client.get("/")
