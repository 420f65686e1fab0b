"""The hosted pages in a real browser: accessible, on a phone, by keyboard, without a double payment (S2, S3)."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright
from stripe import StripeClient

from sandbox.stripe.process import StripeSandbox
from tests.chromium import FLAGS, find_chromium
from tests.sandbox.stripe.shop import DECLINED, GOOD, LATER, SECURE, Shop, make_shop
from tests.sandbox.stripe.test_pages_http import open_portal, subscribe

WIDTHS = (1280, 390)


@pytest.fixture
def shop(client: StripeClient, stripe_server: StripeSandbox) -> Shop:
    return make_shop(client, stripe_server)


@pytest.fixture
def tab(shop: Shop) -> Iterator[Page]:
    """A new browser that minds every complaint of the console."""
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        page = browser.new_page(base_url=shop.server.url)
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        browser.close()
    assert [text for text in complaints if "status of 40" not in text] == []  # the form again, with what is wrong


def type_card(page: Page, number: str) -> None:
    page.get_by_label("Card number").press_sequentially(number)
    page.get_by_label("Expiry date").press_sequentially("1240")
    page.get_by_label("Security code").fill("123")
    page.get_by_label("Name on card").fill("Ada Lovelace")


def inspect(page: Page, widths: tuple[int, ...] = (390,)) -> None:
    """Nothing for axe to find, no sideways scrolling."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 844})
        results = Axe().run(page)
        assert results.violations_count == 0, f"{page.url}: {results.generate_report()}"
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider == 0, f"{page.url} at {width}"


def home_session(shop: Shop, **more: Any) -> str:
    """A Checkout page that leads back to the sandbox itself: the browser has nowhere else to go."""
    here = shop.server.url
    return str(shop.session(success_url=f"{here}/?bought={{CHECKOUT_SESSION_ID}}", cancel_url=f"{here}/", **more).url)


def test_every_page_is_accessible(shop: Shop, tab: Page) -> None:
    subscription = subscribe(shop)
    portal = open_portal(shop)
    account = shop.client.v1.accounts.create({"type": "express", "email": "creator@example.com"}).id
    here = shop.server.url
    link: Any = {"account": account, "type": "account_onboarding", "return_url": here, "refresh_url": here}
    shop.pay(f"{portal}/card", LATER)
    shop.server.call("POST", "/_sandbox/clock", {"advance_seconds": 32 * 86_400})
    portal = open_portal(shop)
    pages = [
        "/",
        home_session(shop),
        str(shop.purchase().url),
        str(shop.session(mode="setup", currency="usd").url),
        portal,
        f"{portal}/card",
        f"{portal}/subscriptions/{subscription}/cancel",
        *(str(invoice.hosted_invoice_url) for invoice in shop.client.v1.invoices.list().data),
        shop.client.v1.account_links.create(link).url,
    ]
    for address in pages:
        tab.goto(address)
        inspect(tab, WIDTHS)


def test_declined_then_paid(shop: Shop, tab: Page) -> None:
    tab.goto(home_session(shop))
    type_card(tab, DECLINED)
    expect(tab.get_by_label("Card number")).to_have_value("4000 0000 0000 0002")
    tab.get_by_role("button", name="Subscribe").click()
    expect(tab.get_by_role("alert")).to_have_text("Your card was declined.")
    inspect(tab)
    tab.get_by_label("Card number").fill("")
    tab.get_by_label("Expiry date").fill("")
    type_card(tab, GOOD)
    tab.get_by_role("button", name="Subscribe").dblclick()
    expect(tab).to_have_url(f"{shop.server.url}/?bought={shop.client.v1.checkout.sessions.list().data[0].id}")
    assert len(shop.client.v1.subscriptions.list().data) == 1


def test_mistakes_are_focused_and_named(shop: Shop, tab: Page) -> None:
    tab.goto(home_session(shop))
    tab.get_by_label("Card number").press_sequentially("4242")
    tab.keyboard.press("Enter")
    number = tab.get_by_label("Card number")
    expect(number).to_be_focused()
    expect(number).to_have_accessible_description(
        "Your card number is incorrect. The sandbox takes Stripe's test cards only."
    )
    inspect(tab)


def test_the_bank_fails_and_passes(shop: Shop, tab: Page) -> None:
    tab.goto(home_session(shop))
    for button in ("Fail", "Complete"):
        type_card(tab, SECURE)
        tab.get_by_role("button", name="Subscribe").click()
        inspect(tab)
        tab.get_by_role("button", name=button).click()
    expect(tab.get_by_role("heading", name="Stripe sandbox")).to_be_visible()
    assert shop.client.v1.subscriptions.list().data[0].status == "active"


def test_the_portal_by_hand(shop: Shop, tab: Page) -> None:
    subscription = subscribe(shop)
    tab.goto(open_portal(shop))
    tab.get_by_role("link", name="Update card").click()
    type_card(tab, GOOD)
    tab.get_by_role("button", name="Save card").click()
    expect(tab.get_by_role("status")).to_contain_text("is saved")
    inspect(tab)
    tab.get_by_role("link", name="Cancel plan").click()
    tab.get_by_label("I do not use it").check()
    tab.get_by_role("button", name="Cancel plan").click()
    expect(tab.get_by_text("Ends soon")).to_be_visible()
    inspect(tab)
    tab.get_by_role("button", name="Keep plan").click()
    expect(tab.get_by_text("Renews on")).to_be_visible()
    assert shop.client.v1.subscriptions.retrieve(subscription).cancel_at_period_end is False
    tab.get_by_role("link", name="View").click()
    expect(tab.get_by_role("heading", name="Invoice")).to_be_visible()
