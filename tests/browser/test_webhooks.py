"""Webhooks in a browser, sent by a worker to a real subscriber (N1, F1)."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connections
from django.utils.timezone import now
from playwright.sync_api import Page, ViewportSize, expect

from billing.notifications.event_types import EventType
from billing.notifications.services.deliver_webhooks import deliver_webhooks
from billing.notifications.webhook_claims import Lane
from tenants.models import Tenant
from tests.browser.visitor import Site, Visitor
from tests.notifications.make import make_attempt, make_delivery, make_endpoint
from tests.notifications.webhooks.receiver import Receiver, receiving
from vault.models import KeyEncryptionKey

PHONE, DESK = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=900)

# Colours fade from one scheme to the other, and what inherits one begins to fade when that has changed: wait until
# nothing has moved for some frames.
_AT_REST = """async () => {
    for (let still = 0; still < 5; still++) {
        await new Promise(later => requestAnimationFrame(later));
        const moving = document.getAnimations().filter(one => one.effect.getComputedTiming().endTime !== Infinity);
        moving.forEach(animation => animation.finish());
        if (moving.length) still = 0;
    }
}"""


@pytest.fixture
def subscriber(site: Site, own_vault: KeyEncryptionKey) -> Iterator[Receiver]:
    """Of a tenant that has another endpoint, without a place to break its name, which failed for days."""
    tenant, at = Tenant.objects.get(slug="acme"), now()
    failed = {"state": "disabled", "disabled_reason": "failing", "disabled_at": at}
    endpoint = make_endpoint(tenant, at=at, description="W" * 60, **failed)
    for kind in (*EventType, *EventType, *EventType):
        delivery = make_delivery(endpoint, kind, at=at, state="failed", tries=9, error="The endpoint answered 500.")
    make_attempt(delivery, 500, at=at, answer="x" * 1000, error="The endpoint answered 500.")
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def worker(subscriber: Receiver) -> Iterator[None]:
    """Sends what is due, until the test is over."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.2):
            deliver_webhooks(at=now(), lane=Lane.REGULAR)
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def member(site: Site, worker: None, tab: Page) -> Visitor:
    """The owner, signed in; the browser starts last."""
    visitor = Visitor(site, tab)
    visitor.sign_in()
    return visitor


def look(visitor: Visitor) -> None:
    """At a page: no complaint of the browser, accessible, and it fits, at a desk and on a phone in the dark."""
    for size, scheme in ((PHONE, "dark"), (DESK, "light")):
        visitor.page.set_viewport_size(size)
        visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        visitor.page.evaluate(_AT_REST)
        assert visitor.overflow() == 0, (visitor.page.url, scheme)
        assert visitor.violations() == "", (visitor.page.url, scheme)
    assert visitor.complaints == []


def see_all_of_the_log(visitor: Visitor) -> None:
    """On a phone the table needs no scrolling aside, and says how often and what came back."""
    visitor.page.set_viewport_size(PHONE)
    frame = visitor.page.get_by_role("region", name="Deliveries")
    assert frame.evaluate("frame => frame.scrollWidth - frame.clientWidth") == 0
    row = frame.locator("tbody tr").first
    expect(row.get_by_text("9 tries")).to_be_visible()
    expect(row.get_by_text("The endpoint answered 500.").first).to_be_visible()
    visitor.page.set_viewport_size(DESK)


def test_webhooks(member: Visitor, subscriber: Receiver) -> None:
    """N1, F1: one endpoint from its secret to its end, and another one that failed for days; one browser for both."""
    _endpoint_from_its_secret_to_its_end(member, subscriber)
    _endpoint_that_failed(member)
    assert member.complaints == []


def _endpoint_from_its_secret_to_its_end(member: Visitor, subscriber: Receiver) -> None:
    """Added, tested, rotated by keyboard, sent to again, removed; what happens appears by itself."""
    page = member.page
    member.open("/webhooks/add")
    page.get_by_label("Address").fill(subscriber.url)
    page.get_by_label("Description").fill("Accounting")
    page.get_by_label("Only some types").check()
    page.get_by_label("invoice.paid").check()
    page.get_by_role("button", name="Add endpoint").click()
    expect(page.locator("#new-secret")).to_contain_text("whsec_")
    look(member)
    page.get_by_role("link", name="Go to the endpoint").click()
    page.get_by_role("button", name="Send test event").click()
    expect(page.locator("#webhook-test")).to_contain_text("The test event has arrived")
    expect(page.locator("#webhook-log tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Replace the secret").press("Enter")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#new-secret")).to_contain_text("whsec_")
    look(member)
    page.get_by_role("link", name="See what was sent and answered").click()
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("asked for")).to_be_visible()
    look(member)
    assert len({request.id for request in subscriber.got}) == 1
    page.get_by_role("link", name="All deliveries").click()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove endpoint").click()
    expect(page.get_by_text("“Accounting” is removed, and its secret erased.")).to_be_visible()
    look(member)


def _endpoint_that_failed(member: Visitor) -> None:
    """Found from the list, its log read and filtered, enabled again."""
    page = member.page
    member.open("/webhooks/")
    page.get_by_role("link", name="See what failed").click()
    look(member)
    see_all_of_the_log(member)
    rows = page.locator("#webhook-log tbody tr")
    expect(rows).to_have_count(21)
    page.get_by_role("link", name="Load more").click()
    expect(rows).to_have_count(30)
    page.get_by_label("Type of event").select_option("session.stopped")
    expect(rows).to_have_count(3)
    rows.first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("session.stopped")
    member.open("/webhooks/")
    page.get_by_role("button", name="Enable again").click()
    expect(page.get_by_text("is enabled.")).to_be_visible()
