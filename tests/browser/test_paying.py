"""Paying by clicking, from the choice of a plan to its end, at the console and at Stripe (P10, M4, S2, S8)."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.utils.timezone import now
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from billing.stripe_sync.services.connect_stripe import connect_stripe
from config.celery import app
from sandbox.stripe.process import StripeSandbox
from tests.browser.paying import A_MONTH, DECLINED, FAILS_LATER, GOOD, SECURE, Payer
from tests.browser.visitor import PASSWORD, Site, Visitor
from tests.console.make import make_member, make_user
from tests.make import make_customer

# What a link leads to, as the signed-in browser gets it.
FETCHED = """async link => {
    const answer = await fetch(link.href);
    return [answer.status, answer.headers.get("content-type"), (await answer.text()).slice(0, 5)];
}"""


@pytest.fixture
def site(
    own_database: None, stripe: StripeSandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """A customer on the free plan; Stripe is set up, and its webhooks come in and are worked on as they come."""
    monkeypatch.setattr(app.conf, "task_always_eager", True)
    customer = make_customer("free", slug="acme", at=now())
    owner = make_member(customer.tenant, user=make_user(password=PASSWORD))
    cache.clear()  # sign-ins of other tests count against the rate limit
    server = LiveServer("127.0.0.1")
    try:
        settings.QUAESTOR_ORIGIN = server.url
        settings.BILLING_RETURN_ORIGINS = [server.url]
        connect_stripe(origin=server.url, at=now())
        nothing = Decimal(0)
        yield Site(server.url, owner.email, "", nothing, nothing, nothing)
    finally:
        stripe.call("POST", "/_sandbox/deliveries/flush")  # none is under way when the database goes
        server.stop()


@pytest.fixture
def payer(site: Site, stripe: StripeSandbox, tab: Page) -> Payer:
    return Payer(Visitor(site, tab), stripe)


def test_a_plan_from_checkout_to_its_end(payer: Payer) -> None:
    """P10, K11, I3, S2, S4: choose, pay, see invoice and card, switch to own keys, cancel, be on Free."""
    page = payer.page
    payer.visitor.sign_in()
    payer.open("/plans/")
    page.get_by_role("button", name="Choose Pro").click()
    payer.expect_heading("Change to Pro")
    assert payer.visitor.violations() == ""
    expect(page.locator(".sums .total")).to_contain_text("$9.00")
    page.get_by_role("button", name="Continue to payment").click()
    payer.pay(GOOD, "Subscribe")
    payer.expect_heading("Pro is active")
    assert payer.visitor.violations() == ""
    payer.deliver()

    payer.open("/billing/")
    expect(page.get_by_role("listitem").filter(has_text="4242")).to_contain_text("Visa")
    assert "4242424242424242" not in page.content()

    payer.open("/invoices/")
    row = page.get_by_role("row").filter(has_text="$9.00")
    expect(row).to_contain_text("Paid")
    assert row.get_by_role("link", name="PDF").evaluate(FETCHED) == [200, "application/pdf", "%PDF-"]
    row.get_by_role("link", name=re.compile("^INV-")).click()
    expect(page.get_by_role("article")).to_contain_text("Amount due")
    expect(page.get_by_text("paid on")).to_be_visible()
    assert payer.visitor.violations() == ""

    payer.open("/plans/")
    page.get_by_role("link", name="Switch to own keys, saves $4.00 a month").click()
    expect(page.get_by_text("Credited on your next invoice")).to_be_visible()
    assert payer.visitor.violations() == ""
    page.get_by_role("button", name=re.compile(r"Change and be credited \$4\.00")).click()
    expect(page.get_by_role("status")).to_contain_text("you are on Pro, monthly, on your own keys")

    page.get_by_role("link", name="Cancel plan").click()
    payer.expect_heading("Cancel Pro")
    assert payer.visitor.violations() == ""
    page.get_by_role("button", name="Cancel on").click()
    expect(page.get_by_role("region", name="Ending plan")).to_contain_text("You keep everything")
    page.get_by_role("button", name="Resume Pro").click()
    expect(page.get_by_role("status")).to_contain_text("it renews as before")
    page.get_by_role("link", name="Cancel plan").click()
    page.get_by_role("button", name="Cancel on").click()

    payer.let_time_pass(A_MONTH)
    payer.open("/plans/")
    expect(page.get_by_role("heading", level=2, name="Free", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Cancel plan")).to_have_count(0)
    assert payer.visitor.complaints == []


def test_declined_card_then_another(payer: Payer) -> None:
    """S2: the hosted page says so, nothing has changed, and leaving it says that nothing was charged."""
    page = payer.page
    payer.visitor.sign_in()
    page.goto("/plans/change?plan=team&terms=yearly-byok&seats=2")
    expect(page.locator(".sums .total")).to_contain_text("$380.00")
    page.get_by_label("Seats").fill("3")
    page.get_by_label("Seats").press("Tab")
    expect(page.locator(".sums .total")).to_contain_text("$570.00")
    page.get_by_role("button", name="Continue to payment").click()
    payer.pay(DECLINED, "Subscribe")
    expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
    page.get_by_role("link", name=re.compile("back", re.IGNORECASE)).first.click()
    payer.expect_heading("Nothing was charged")
    payer.open("/plans/")
    page.get_by_role("link", name="Continue paying").click()
    payer.pay(GOOD, "Subscribe")
    payer.expect_heading("Team is active")
    expect(page.get_by_text("for 3 seats, on your own keys")).to_be_visible()


def test_bank_asks_for_more(payer: Payer) -> None:
    """S2: 3-D Secure on the way."""
    page = payer.page
    payer.visitor.sign_in()
    page.goto("/plans/change?plan=pro&terms=yearly-standard")
    page.get_by_role("button", name="Continue to payment").click()
    payer.pay(SECURE, "Subscribe")
    page.get_by_role("button", name="Complete").click()
    payer.expect_heading("Pro is active")


def test_credits_with_a_fee(payer: Payer) -> None:
    """M4: the fee is shown before paying and charged on top; exactly the amount is credited."""
    page = payer.page
    payer.visitor.sign_in()
    payer.open("/credits/")
    page.get_by_role("link", name="$100.00").click()
    expect(page.locator("#top-up-sums")).to_contain_text("$105.00")
    page.get_by_label("Amount in USD").fill("20")
    expect(page.get_by_role("button", name="Pay $21.00")).to_be_visible()
    page.get_by_role("button", name="Pay $21.00").click()
    payer.pay(GOOD, "Pay")
    payer.expect_heading("$20.00 of credits added")
    payer.deliver()
    payer.open("/credits/")
    expect(page.locator(".stat").first).to_contain_text("$20.00")
    expect(page.get_by_role("region", name="Purchases of credits")).to_contain_text("Credited")
    assert payer.visitor.complaints == []


def test_failed_renewal_is_told_and_mended(payer: Payer) -> None:
    """S3, S8, I2: a declined change changes nothing; the banner names the day that access ends; the portal takes a
    card, and the open invoice is paid with it."""
    page = payer.page
    payer.visitor.sign_in()
    page.goto("/plans/change?plan=pro&terms=monthly-standard")
    page.get_by_role("button", name="Continue to payment").click()
    payer.pay(GOOD, "Subscribe")
    payer.expect_heading("Pro is active")
    payer.open("/billing/")
    page.get_by_role("button", name="Manage in the billing portal").click()
    page.get_by_role("link", name="Update card").click()
    payer.pay(FAILS_LATER, "Save card")
    expect(page.get_by_role("status")).to_contain_text("is saved")
    page.goto("/plans/change?plan=team&terms=monthly-standard&seats=2")
    page.get_by_role("button", name=re.compile(r"Pay \$\d\d\.\d\d and change")).click()
    expect(page.get_by_role("alert").filter(has_text="declined")).to_be_visible()
    assert payer.visitor.violations() == ""
    payer.let_time_pass(A_MONTH)
    payer.open("/")
    banner = page.get_by_role("region", name="Overdue payment")
    expect(banner).to_contain_text("The payment for Pro failed")
    banner.get_by_role("button", name="Update your card").click()
    page.get_by_role("link", name="Update card").click()
    payer.pay(GOOD, "Save card")
    page.get_by_role("link", name=re.compile("Return to")).click()
    expect(page.get_by_role("listitem").filter(has_text="Default")).to_contain_text("4242")
    page.get_by_role("link", name="pay the open invoice").click()
    page.get_by_role("link", name=re.compile("^INV-")).click()
    assert payer.visitor.violations() == ""
    page.get_by_role("link", name="Retry the payment").click()
    expect(page.get_by_role("dialog")).to_contain_text("4242")
    assert payer.visitor.violations() == ""
    page.get_by_role("button", name="Pay $9.00").click()
    expect(page.get_by_role("status")).to_contain_text("is paid")
    payer.open("/")
    expect(page.get_by_role("region", name="Overdue payment")).to_have_count(0)
