"""The alerts page: how much of each limit is used, and what a customer caps and allows (F1, P8, M9)."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from billing.core.periods import day_containing
from billing.subscriptions.models import BillingAccount, SpendControls, Subscription
from billing.subscriptions.queries import terms_of
from billing.usage.models import BurnAlert, Counter
from tenants.models import AuditEvent
from tenants.permissions import Role
from tests.console.make import HTMX, QueryCount, make_client, make_member, signed_in
from tests.make import AT, Customer, make_customer

CHANGES = ("/alerts/overage", "/alerts/overage/off", "/alerts/caps", "/alerts/emails")


@pytest.fixture
def pro(catalogue: None, clock: time_machine.Traveller) -> Customer:
    """5,000 executions, then $0.01 each; $5.00 a user and day."""
    return make_customer("pro", slug="acme")


def count_up(customer: Customer, feature: str, used: str, *, user: str = "") -> None:
    """Use so much of a limit in its present window."""
    daily = feature in {"spend_cap_per_day", "spend_cap_per_user_day", "sandbox_tries_per_day"}
    window = day_containing(AT) if daily else terms_of(customer.account.id, AT).period(AT)
    Counter.objects.create(
        account_id=customer.account.id, feature=feature, subject=user, window_start=window.start, used=Decimal(used)
    )


def make_alerts(customer: Customer, times: int) -> list[BurnAlert]:
    return [
        BurnAlert.objects.create(
            account_id=customer.account.id,
            tenant_id=customer.tenant.id,
            feature="spend_cap_per_user_day",
            subject=f"user-{number}",
            window_start=AT,
            threshold=100,
            used=Decimal("5.004"),
            quota=Decimal(5),
            told=number == 0,
            created_at=AT + timedelta(seconds=number),
        )
        for number in range(times)
    ]


def controls_of(customer: Customer) -> SpendControls:
    return SpendControls.objects.get(account_id=customer.account.id)


def turn_on(client: Client, ceiling: str = "50", price: str = "0.010000000") -> int:
    return client.post("/alerts/overage", {"overage_ceiling": ceiling, "price": price}).status_code


def test_limits_have_bars_and_figures(pro: Customer) -> None:
    """M9: used of what, in percent, until when, set by whom; the figures stand in a table."""
    count_up(pro, "executions_per_month", "4999")
    count_up(pro, "spend_cap_per_user_day", "1.25", user="mo")
    response = make_client(pro.tenant).get("/alerts/")
    shares = {share.name: share for share in response.context["page"].shares}
    executions, user = shares["Executions per month"], shares["Spend cap per user and day"]
    assert (executions.used_text, executions.quota_text, executions.percent) == ("4,999", "5,000", 99)
    assert (user.used_text, user.quota_text, user.percent, user.user) == ("$1.25", "$5.00", 25, "mo")
    assert (executions.resets_at, user.resets_at) == (
        terms_of(pro.account.id, AT).period(AT).end,
        day_containing(AT).end,
    )
    assert {"Running agents", "Concurrent sessions", "Sandbox tries per day"} < set(shares)
    assert {share.source_text for share in shares.values()} == {"Your plan"}
    assert 'data-level="warn"' in response.text
    assert 'width="99%"' in response.text


def test_used_up_limits_say_what_happens_and_what_helps(pro: Customer) -> None:
    """P6, P8: until when, and the way out; with overage there is a price instead of a refusal."""
    count_up(pro, "executions_per_month", "5000")
    client = make_client(pro.tenant)
    text = client.get("/alerts/").text
    assert "Runs are refused until 10 Apr 2026, 12:00 UTC." in text
    assert 'href="/alerts/#overage"' in text
    turn_on(client)
    assert "Each execution past the limit costs $0.01." in client.get("/alerts/").text


def test_slowed_runs_are_told(pro: Customer) -> None:
    """P7: before anything is refused."""
    count_up(pro, "executions_per_month", "3000")
    assert "One run a minute may start, past 3,000." in make_client(pro.tenant).get("/alerts/").text


def test_plans_that_sell_no_executions_say_so(customer: Customer) -> None:
    """P8: there is no switch where there is nothing to switch, nor does a forged form turn it on."""
    client = make_client(customer.tenant)
    assert "Pay as you go does not limit executions" in client.get("/alerts/").text
    response = client.post("/alerts/overage", {"overage_ceiling": "50", "price": "0.01"})
    assert response.status_code == 422
    assert not SpendControls.objects.filter(account_id=customer.account.id).exists()


def test_overage_is_asked_for_with_the_most_that_it_may_cost(pro: Customer) -> None:
    """P8: price, number and sum, before anything is turned on; as a page, and as the dialog of the page."""
    client = make_client(pro.tenant)
    page, dialog = (client.get("/alerts/overage?overage_ceiling=50", headers=headers) for headers in ({}, HTMX))
    for response in (page, dialog):
        assert (response.context["page"].executions, response.context["page"].ceiling) == (5000, 50)
        assert "Turn on, $50.00 at most" in response.text
    assert ("<html" in page.text, "<html" in dialog.text) == (True, False)
    assert not SpendControls.objects.filter(account_id=pro.account.id).exists()


def test_overage_is_turned_on_and_off(pro: Customer) -> None:
    """P8: on with the ceiling that was agreed to, off at once; what was used stays to be seen."""
    user = make_member(pro.tenant)
    client = signed_in(user)
    assert turn_on(client) == 302
    count_up(pro, "overage", "1.46")
    page = client.get("/alerts/")
    panel = page.context["page"].overage
    assert (panel.is_on, panel.ceiling, panel.used, panel.percent) == (True, 50, Decimal("1.46"), 2)
    assert "for at most $50.00 in a billing period" in page.text
    assert client.post("/alerts/overage/off").status_code == 302
    off = client.get("/alerts/")
    assert (off.context["page"].overage.is_on, controls_of(pro).overage_ceiling) == (False, Decimal(50))
    assert "What was used this period, $1.46, stays on the next invoice." in off.text
    lines = AuditEvent.objects.filter(action="spend_controls.changed")
    assert [line.actor_user for line in lines] == [user, user]


def test_another_price_is_asked_about_again(pro: Customer) -> None:
    """P8: nobody agrees to a price that the page did not show."""
    client = make_client(pro.tenant)
    assert turn_on(client, price="0.005") == 200
    assert not SpendControls.objects.filter(account_id=pro.account.id).exists()


@pytest.mark.parametrize(
    ("ceiling", "error"),
    [
        ("", "This field is required."),
        ("many", "Write the number out, such as 1000 or 12.50."),
        ("NaN", "Write the number out, such as 1000 or 12.50."),
        ("-1", "Ensure this value is greater than or equal to 0."),
        ("0.001", "Ensure that there are no more than 2 decimal places."),
        ("1e3", "Write the number out, such as 1000 or 12.50."),
        ("9" * 400, "Ensure this value is less than or equal to 1000000."),
    ],
)
def test_wrong_ceiling_is_told_at_its_field(pro: Customer, ceiling: str, error: str) -> None:
    """F1: 422, the page with what was typed; by htmx into the body of the page, not the dialog."""
    client = make_client(pro.tenant)
    for headers in ({}, HTMX):
        response = client.get("/alerts/overage", {"overage_ceiling": ceiling}, headers=headers)
        assert response.status_code == 422
        assert response.context["page"].overage.form.errors["overage_ceiling"] == [error]
        assert ceiling in response.text
        assert response.headers["HX-Retarget"] == "#alerts"
    assert turn_on(client, ceiling) == 422


def test_ceiling_below_one_execution_is_refused(pro: Customer) -> None:
    """P8: what the service refuses stands at the field too."""
    response = make_client(pro.tenant).post("/alerts/overage", {"overage_ceiling": "0", "price": "0.010000000"})
    assert response.status_code == 422
    assert "does not pay for a single execution" in response.text


def test_lower_cap_holds(pro: Customer) -> None:
    """M9: own caps lower the plan's and never lift them; each stands beside the plan's."""
    client = make_client(pro.tenant)
    client.post("/alerts/caps", {"daily_cap": "15.00", "user_daily_cap": "9"})
    page = client.get("/alerts/").context["page"]
    rows = [(row.plan, row.own, row.holds) for row in page.caps.rows]
    assert rows == [(None, 15, 15), (5, 9, 5)]
    assert {share.name: share.source_text for share in page.shares}["Spend cap per day"] == "You"
    client.post("/alerts/caps", {"daily_cap": "", "user_daily_cap": "2.50"})
    rows = [(row.plan, row.own, row.holds) for row in client.get("/alerts/").context["page"].caps.rows]
    assert rows == [(None, None, None), (5, Decimal("2.5"), Decimal("2.5"))]


def test_saving_says_so_and_shows_what_holds_now(pro: Customer) -> None:
    """F1: by htmx in the panel, without it on the next page."""
    client = make_client(pro.tenant)
    swap = client.post("/alerts/caps", {"daily_cap": "15"}, headers=HTMX)
    assert (swap.status_code, swap.context["page"].saved, "<html" in swap.text) == (200, "caps", False)
    assert "Spend cap per day" in swap.text
    swap = client.post("/alerts/emails", {"low_balance_threshold": "25"}, headers=HTMX)
    assert 'value="25.00"' in swap.text
    assert client.post("/alerts/caps", {"daily_cap": "15"}).headers["Location"] == "/alerts/"
    assert "Saved." in client.get("/alerts/").text


@pytest.mark.parametrize("field", ["daily_cap", "user_daily_cap"])
def test_wrong_cap_keeps_what_was_typed(pro: Customer, field: str) -> None:
    """F1: 422 with the error at its field, which the browser goes to; nothing is saved."""
    client = make_client(pro.tenant)
    response = client.post("/alerts/caps", {field: "1.999"}, headers=HTMX)
    assert response.status_code == 422
    assert list(response.context["page"].caps.form.errors) == [field]
    assert response.text.count("autofocus") == 1
    assert 'value="1.999"' in response.text
    assert not SpendControls.objects.filter(account_id=pro.account.id).exists()


@pytest.mark.parametrize("typed", ["1e3", "1E3", "1_000", "１０", "0x10", "NaN"])
def test_amounts_are_plain_numbers(pro: Customer, typed: str) -> None:
    """F1: what nobody would read as that amount is no amount, in none of the forms."""
    client = make_client(pro.tenant)
    for path, field in (
        ("caps", "daily_cap"),
        ("overage", "overage_ceiling"),
        ("emails", "low_balance_threshold"),
    ):
        response = client.post(f"/alerts/{path}", {field: typed}, headers=HTMX)
        assert response.status_code == 422
        assert "Write the number out, such as 1000 or 12.50." in response.text
    assert not SpendControls.objects.filter(account_id=pro.account.id).exists()


def test_emails_are_chosen_and_their_readers_named(pro: Customer) -> None:
    """M9: on or off, from which balance on, and who gets them: those who manage billing."""
    owner, viewer = make_member(pro.tenant), make_member(pro.tenant, Role.VIEWER)
    client = signed_in(owner)
    panel = client.get("/alerts/").context["page"].emails
    assert (panel.burn_alerts, panel.threshold, panel.recipients) == (True, 10, [owner.email])
    client.post("/alerts/emails", {"low_balance_threshold": "25"})
    assert controls_of(pro).burn_alerts is False
    assert BillingAccount.objects.get(id=pro.account.id).low_balance_threshold == 25
    text = signed_in(viewer).get("/alerts/").text
    assert "Not sent when a limit is used up." in text
    assert "$25.00" in text


def test_panels_leave_each_other_alone(pro: Customer) -> None:
    """M9: a form changes what it holds."""
    client = make_client(pro.tenant)
    turn_on(client)
    client.post("/alerts/caps", {"daily_cap": "15"})
    client.post("/alerts/emails", {"low_balance_threshold": "0"})
    kept = controls_of(pro)
    assert (kept.overage_enabled, kept.overage_ceiling, kept.daily_cap, kept.burn_alerts) == (
        True,
        Decimal(50),
        Decimal(15),
        False,
    )


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.VIEWER])
def test_others_see_and_change_nothing(pro: Customer, role: Role) -> None:
    """F4: without billing.manage there is no form, and a forged one is refused."""
    client = make_client(pro.tenant, role)
    text = client.get("/alerts/").text
    assert 'action="/alerts' not in text
    assert "Caps of a day" in text
    for path in CHANGES:
        assert client.post(path, {"overage_ceiling": "50", "low_balance_threshold": "1"}).status_code == 403
    assert not SpendControls.objects.filter(account_id=pro.account.id).exists()


def test_alerts_continue_by_a_cursor(pro: Customer) -> None:
    """M9: all of them, twenty at a time, the newest first, sent or not; another tenant's are not among them."""
    make_alerts(make_customer("pro"), 1)
    made = make_alerts(pro, 23)
    client = make_client(pro.tenant)
    first = client.get("/alerts/").context["page"].sent
    rest = client.get(first.next_url, headers=HTMX)
    rows = [*first.rows, *rest.context["page"].rows]
    assert [row.user for row in rows] == [alert.subject for alert in reversed(made)]
    assert (rows[-1].told, rows[0].told, rows[0].used_text) == (True, False, "$5.00")
    assert (len(first.rows), rest.context["page"].next_url, "<html" in rest.text) == (20, "", False)
    assert client.get("/alerts/?before=x").status_code == 404


def test_reload_of_a_form_leads_to_the_page(pro: Customer) -> None:
    """F1: a browser that forgot what was posted."""
    client = make_client(pro.tenant)
    for path in ("/alerts/caps", "/alerts/emails"):
        assert client.get(path).headers["Location"] == "/alerts/"


def test_ended_plan_has_a_page(pro: Customer) -> None:
    """F1: no plan is a state, not an error, for forms too."""
    Subscription.objects.filter(account=pro.account).delete()
    client = make_client(pro.tenant)
    sent = {"overage_ceiling": "50", "price": "1", "low_balance_threshold": "x"}
    for response in (client.get("/alerts/"), *(client.post(path, sent) for path in CHANGES)):
        assert "No active plan" in response.text or response.headers["Location"] == "/alerts/"


def test_queries(pro: Customer, django_assert_num_queries: QueryCount) -> None:
    """U4: session, user, two for accounts, five for terms, controls, three for standing, live sessions, users, three
    for the plan's limits, two for recipients, alerts, frame: whatever there is.
    """
    client = make_client(pro.tenant)
    with django_assert_num_queries(22):
        client.get("/alerts/")
    make_alerts(pro, 30)
    for number in range(10):
        count_up(pro, "spend_cap_per_user_day", "4.5", user=f"user-{number}")
        make_member(pro.tenant)
    with django_assert_num_queries(22):
        client.get("/alerts/")
