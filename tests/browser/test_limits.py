"""Sessions, limits and caps as a person sees them (F1, P8, P9, M9)."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, ViewportSize, expect

from billing.runtime.models import Session
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import terms_of
from billing.usage.models import BurnAlert, Counter
from tenants.models import Workspace
from tests.browser.visitor import Site, Visitor

PHONE = ViewportSize(width=390, height=844)


@pytest.fixture
def busy_site(site: Site) -> Site:
    """The site with sessions that are live, stopped and ended, and another account whose executions are used up."""
    at, workspace = now(), Workspace.objects.get(slug="main")
    account = BillingAccount.objects.get(is_default=True)
    for name, facts in {
        "call-1": {"runs": 12, "open_runs": 1, "agent": "Receptionist", "end_user": "+49 30 901820"},
        "nightly-matching-of-all-invoices-of-the-quarter-by-supplier": {"minute_start": at, "minute_runs": 1100},
        "loop-1": {"state": "stopped", "stopped_for": "rate", "minute_runs": 1200, "ended_at": at},
        "done-1": {"state": "completed", "ended_at": at},
    }.items():
        usual = {"account_id": account.id, "tenant_id": account.tenant_id, "workspace_id": workspace.id}
        times = {"started_at": at, "heartbeat_at": at, "lease_until": at + timedelta(hours=1)}
        Session.objects.create(name=name, **usual | times | facts)
    pro = BillingAccount.objects.get(name="Test account")
    start = terms_of(pro.id, at).period(at).start
    window = {"account_id": pro.id, "feature": "executions_per_month", "window_start": start}
    Counter.objects.create(**window, used=Decimal(5000))
    reached = {"threshold": 100, "used": Decimal(5000), "quota": Decimal(5000), "told": True, "created_at": at}
    BurnAlert.objects.create(**window, tenant_id=pro.tenant_id, **reached)
    return site


@pytest.fixture
def busy_visitor(busy_site: Site, tab: Page) -> Iterator[Visitor]:
    """Somebody who has signed in at that site, which comes before the browser; the browser complains of nothing."""
    visitor = Visitor(busy_site, tab)
    visitor.sign_in()
    yield visitor
    assert visitor.complaints == []


def look_at_the_other_account(page: Page) -> None:
    page.locator("summary").filter(has_text="Default").click()
    page.get_by_role("button", name="Test account").click()
    expect(page.get_by_text("Pro plan")).to_be_visible()


def test_pages_with_limits_fit_and_pass_axe(busy_visitor: Visitor) -> None:
    """F1: with lines in every list, at every width that the tables change at."""
    page = busy_visitor.page
    for width in (390, 640, 1024, 1280):
        page.set_viewport_size(ViewportSize(width=width, height=844))
        for path in ("/sessions/", "/alerts/"):
            busy_visitor.open(path)
            assert busy_visitor.overflow() == 0, (path, width)
            assert busy_visitor.complaints == []
            assert busy_visitor.violations() == "", (path, width)
        tables = page.locator(".table-container")
        assert tables.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).length") == 0, width
        busy_visitor.complaints.clear()  # axe's own styles


def test_live_sessions_refresh_and_keep_the_focus(busy_visitor: Visitor) -> None:
    """P9, F1: by themselves, until they are paused; who is at a button stays there."""
    busy_visitor.open("/sessions/")
    page = busy_visitor.page
    end = page.get_by_role("link", name="End call-1")
    end.focus()
    with page.expect_response("**/sessions/"):
        pass
    expect(end).to_be_focused()
    page.get_by_role("link", name="Pause refreshing").click()
    resume = page.get_by_role("link", name="Resume refreshing")
    expect(resume).to_be_focused()
    assert page.locator("#sessions-live[hx-trigger]").count() == 0
    resume.click()
    expect(page.locator("#sessions-live[hx-trigger]")).to_have_count(1)


def test_session_is_ended_and_allowed_again(busy_visitor: Visitor) -> None:
    """P9, M9: asked in a dialog, by keyboard; what refreshes itself waits behind it."""
    busy_visitor.open("/sessions/")
    page = busy_visitor.page
    end = page.get_by_role("link", name="End call-1")
    end.press("Enter")
    expect(page.get_by_role("heading", name="End “call-1”?")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    assert busy_visitor.violations() == ""
    page.keyboard.press("Escape")
    expect(end).to_be_focused()
    end.press("Enter")
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_text("“call-1” is ended and takes no more runs.")).to_be_visible()
    stopped = page.get_by_role("region", name="Stopped sessions")
    expect(stopped.get_by_role("cell", name=f"Stopped by {busy_visitor.site.email}.")).to_be_visible()
    page.get_by_role("link", name="Allow again call-1").click()
    page.get_by_role("button", name="Allow again", exact=True).click()
    expect(page.get_by_text("“call-1” may be used again.")).to_be_visible()
    expect(stopped.get_by_text("call-1")).to_be_hidden()
    busy_visitor.complaints.clear()  # axe's own styles


def test_overage_is_turned_on_by_keyboard(busy_visitor: Visitor) -> None:
    """P8: from the warning on the overview; a wrong ceiling is told at its field, a right one is asked about."""
    page = busy_visitor.page
    look_at_the_other_account(page)
    page.get_by_role("link", name="Pay for more executions").click()
    ceiling = page.get_by_label("At most per billing period, in USD")
    ceiling.fill("0.001")
    ceiling.press("Enter")
    expect(page.get_by_text("no more than 2 decimal places")).to_be_visible()
    expect(ceiling).to_be_focused()
    busy_visitor.complaints.clear()  # the refusal's status
    ceiling.fill("25")
    ceiling.press("Enter")
    expect(page.get_by_text("Most that a period may cost on top")).to_be_visible()
    expect(page.get_by_text("no more than 2 decimal places")).to_be_hidden()
    page.get_by_role("button", name="Turn on, $25.00 at most").press("Enter")
    expect(page.get_by_text("for at most $25.00 in a billing period")).to_be_visible()
    page.get_by_role("button", name="Turn off now").click()
    expect(page.get_by_text("Executions past the limit are refused from now on.")).to_be_visible()


def test_caps_are_saved_in_place(busy_visitor: Visitor) -> None:
    """M9, F1: said beside the button, which keeps the focus, and the bars show the new cap."""
    page = busy_visitor.page
    page.set_viewport_size(PHONE)
    busy_visitor.open("/alerts/")
    page.get_by_label("All runs of a day, in USD").fill("15")
    save = page.locator("#save-caps")
    save.click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    expect(save).to_be_focused()
    expect(page.get_by_role("row", name="Spend cap per day")).to_contain_text("of $15.00")
