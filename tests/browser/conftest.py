"""The console in a real Chromium, against a served site with a database of its own.

Playwright keeps an event loop running in this thread for as long as it is started, and Django refuses its ORM beside
a running loop. So everything that a test needs in the database is there before the browser starts, and the browser
is gone before the database is: it starts last, for each test.
"""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.utils.timezone import now
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from billing.subscriptions.models import BillingAccount
from tenants.models import User, Workspace
from tests.browser.visitor import PASSWORD, Site, Visitor
from tests.chromium import FLAGS, find_chromium
from tests.console.make import ingest, make_calls, make_member, make_minutes, make_user
from tests.console.usage import make_events
from tests.make import Customer, make_account, make_api_key, make_credits, make_customer, make_workspace


@pytest.fixture(scope="session")
def chromium() -> str:
    return find_chromium()


@pytest.fixture
def site(own_database: None) -> Iterator[Site]:
    """A tenant with usage on two models and by phone, an owner who signs in by password, and the server."""
    at = now()
    customer = make_customer(balance="50.00", slug="acme", at=at)
    make_workspace(customer.tenant, "second", account=customer.account)
    make_account(customer.tenant, "pro", name="Test account", is_default=False, at=at)
    make_calls(customer, "gpt-4o", 3, at=at)
    make_calls(customer, "gpt-4o-mini", 7, workspace="second", at=at)
    make_minutes(customer, "12.5", at=at)
    for number in range(30):
        make_credits(customer.account, "1.00", key=f"more-{number}", at=at)
    owner = make_member(customer.tenant, user=make_user(password=PASSWORD))
    staff = make_user(password=PASSWORD, is_staff=True)
    User.objects.filter(id=staff.id).update(is_superuser=True)
    cache.clear()  # sign-ins of other tests count against the rate limit
    server = LiveServer("127.0.0.1")
    try:
        yield Site(
            url=server.url,
            email=owner.email,
            staff_email=staff.email,
            main_model_cost=Decimal("0.013500000"),
            second_model_cost=Decimal("0.001890000"),
            phone_cost=Decimal("0.225000000"),
        )
    finally:
        server.stop()


@pytest.fixture
def ledger_site(site: Site) -> Site:
    """The site after 30 sessions of one call each."""
    account = BillingAccount.objects.get(is_default=True)
    customer = Customer(account.tenant, Workspace.objects.get(slug="main"), account, make_api_key(account.tenant))
    make_events(customer, [{"session": f"call-{number}"} for number in range(30)], at=now())
    return site


@pytest.fixture
def rich_site(site: Site) -> Site:
    """The site after 50 reports of a billion GB-months: the period's cost has eleven digits."""
    account = BillingAccount.objects.get(is_default=True)
    workspace = Workspace.objects.get(slug="main")
    customer = Customer(account.tenant, workspace, account, make_api_key(account.tenant))
    stored = {"workspace": "main", "product": "kb_storage", "quantity": "1000000000"}
    ingest(customer, [stored | {"idempotency_key": f"stored-{number}"} for number in range(50)], at=now())
    return site


@pytest.fixture
def tab(site: Site, chromium: str) -> Iterator[Page]:
    """A new browser at a desk. Not the fixture of pytest-playwright: its event loop outlives the test."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        tab = browser.new_page(base_url=site.url, viewport={"width": 1280, "height": 900})
        tab.set_default_timeout(15_000)
        yield tab
        browser.close()


@pytest.fixture
def visitor(site: Site, tab: Page) -> Visitor:
    """Somebody at the sign-in page."""
    return Visitor(site, tab)


@pytest.fixture
def ledger_visitor(ledger_site: Site, tab: Page) -> Visitor:
    """Somebody at the sign-in page of a site with sessions; the site comes before the browser."""
    return Visitor(ledger_site, tab)


@pytest.fixture
def rich_visitor(rich_site: Site, tab: Page) -> Visitor:
    """Somebody at the sign-in page of a site with large figures; the site comes before the browser."""
    return Visitor(rich_site, tab)
