"""Provider keys in a browser, against the stand-in for all providers (K2, K4, K8, F1)."""

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, ViewportSize, expect

from sandbox.providers.process import ProvidersSandbox
from tenants.models import Agent, Office, Tenant, Workspace
from tests.browser.visitor import Site, Visitor
from tests.vault.make import key_text, make_assignment, make_credential
from vault.models import KeyEncryptionKey

DESK, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)
PAGES = ("/keys/", "/keys/add", "/keys/add/openai", "/keys/add/ollama", "/keys/which")


@pytest.fixture
def keeper(site: Site, own_vault: KeyEncryptionKey, providers: ProvidersSandbox, tab_of_keys: Page) -> Visitor:
    """The owner of a tenant whose vault is empty."""
    visitor = Visitor(site, tab_of_keys)
    visitor.sign_in()
    return visitor


@pytest.fixture
def keyring(site: Site, own_vault: KeyEncryptionKey, providers: ProvidersSandbox) -> Site:
    """A tenant with a working key, a broken one, and assignments down to an agent."""
    at, tenant = now(), Tenant.objects.get(slug="acme")
    main = Workspace.objects.get(tenant=tenant, slug="main")
    office = Office.objects.create(workspace=main, slug="support", name="Support")
    agent = Agent.objects.create(workspace=main, office=office, name="Ada", created_at=at)
    make_assignment(tenant, make_credential(tenant, name="Production", at=at))
    broken = make_credential(tenant, name="Batch jobs", health="invalid", at=at)
    make_assignment(tenant, broken, "gpt-4o-mini", at_place=main)
    make_assignment(tenant, None, "gpt-4o", at_place=agent)
    return site


@pytest.fixture
def tab_of_keys(own_vault: KeyEncryptionKey, providers: ProvidersSandbox, tab: Page) -> Page:
    """The browser starts once the vault is there."""
    return tab


def look(visitor: Visitor, path: str = "") -> None:
    """At a page: no complaint of the browser, accessible, and it fits."""
    if path:
        visitor.open(path)
    assert visitor.complaints == [], path
    assert visitor.violations() == "", path
    assert visitor.overflow() == 0, path


@pytest.fixture
def long_named(keyring: Site) -> Site:
    """The same with keys whose names have no place to break."""
    tenant = Tenant.objects.get(slug="acme")
    make_assignment(tenant, make_credential(tenant, name="W" * 100, at=now()))
    make_assignment(tenant, make_credential(tenant, "groq", name="M" * 100, health="invalid", at=now()))
    return keyring


_CUT_OFF = """() => [...document.querySelectorAll('main :is(h1, h2, label, p, a, span, button, input, legend)')]
    .filter(one => one.offsetWidth > 1 && one.getBoundingClientRect().right > innerWidth)
    .map(one => one.outerHTML.slice(0, 200))"""


def test_long_names_fit(long_named: Site, tab: Page) -> None:
    """F1: on a phone no page grows wider than the screen, and nothing of it is cut off."""
    tab.set_viewport_size(PHONE)
    visitor = Visitor(long_named, tab)
    visitor.sign_in()
    for path in (
        "/keys/",
        "/keys/add/openai",
        "/keys/assignments",
        "/keys/assignments/set?provider=openai&place=tenant",
    ):
        visitor.open(path)
        assert (visitor.overflow(), tab.evaluate(_CUT_OFF)) == (0, []), path
    visitor.open("/keys/")
    tab.get_by_role("link", name=f"Manage OpenAI: {'W' * 100}").click()
    expect(tab.get_by_role("heading", name="W" * 100)).to_be_visible()
    assert (visitor.overflow(), tab.evaluate(_CUT_OFF)) == (0, [])


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
def test_pages_pass_axe(keyring: Site, tab: Page, size: ViewportSize, scheme: str) -> None:
    """F1: the list, the forms, a key and the tree, with keys that work and that do not."""
    tab.set_viewport_size(size)
    tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    visitor = Visitor(keyring, tab)
    visitor.sign_in()
    for path in (*PAGES, "/keys/assignments", "/keys/assignments/set?provider=openai&place=tenant&model=gpt-4o"):
        look(visitor, path)
    visitor.open("/keys/")
    tab.get_by_role("link", name="Manage OpenAI: Batch jobs").click()
    tab.get_by_text("Replace the key").click()
    look(visitor)
    tab.get_by_role("button", name="Revoke").press("Enter")
    expect(tab.get_by_role("dialog")).to_contain_text("gpt-4o-mini")
    expect(tab.get_by_role("button", name="Cancel")).to_be_focused()


def test_key_lives_from_its_first_check_to_its_end(keeper: Visitor) -> None:
    """K2, K8: a bad key is refused, a good one stored and assigned, replaced, taken back, revoked."""
    page = keeper.page
    keeper.open("/keys/")
    page.get_by_role("link", name="Add your first key").click()
    page.get_by_role("link", name="OpenAI").click()
    page.get_by_label("Name").fill("Production")
    page.get_by_label("Key", exact=True).fill(key_text(state="invalid"))
    page.get_by_role("button", name="Check and store").click()
    expect(page.get_by_text("Nothing was stored.")).to_be_visible()
    expect(page.get_by_label("Key", exact=True)).to_have_value("")
    keeper.complaints.clear()  # the browser tells of the 422
    page.get_by_label("Key", exact=True).fill(key_text())
    page.get_by_role("button", name="Check and store").click()
    expect(page.get_by_text("OpenAI accepts the key.")).to_be_visible()
    assert key_text() not in page.content()
    expect(page.get_by_role("main")).to_contain_text("All of Acme")
    look(keeper)
    page.get_by_role("button", name="Check now").click()
    expect(page.locator("#key-health")).to_contain_text("Works")
    page.get_by_text("Replace the key").click()
    page.get_by_label("New key").fill(key_text(state="tenant-2"))
    page.get_by_role("button", name="Check and replace").click()
    expect(page.get_by_text("Version 2 of “Production” is in use.")).to_be_visible()
    page.get_by_role("button", name="Go back to it").click()
    page.get_by_role("button", name="Go back", exact=True).click()
    expect(page.get_by_text("The version before is in use again.")).to_be_visible()
    look(keeper)
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("dialog")).to_contain_text("All of Acme")
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("“Production” is revoked, and its text erased.")).to_be_visible()
    expect(page.get_by_text("1 key does not work")).to_be_visible()
    look(keeper)


def test_place_is_assigned_asked_about_and_released(keyring: Site, tab: Page) -> None:
    """K4, K7: by the form below the tree; a broken line goes with one click."""
    visitor = Visitor(keyring, tab)
    visitor.sign_in()
    visitor.open("/keys/assignments")
    start = tab.locator("section.card").filter(has_text="For any place and any provider")
    start.get_by_label("Provider").select_option(label="OpenAI")
    start.get_by_label("Where").select_option(label="All of Second")
    start.get_by_role("button", name="Continue").click()
    tab.get_by_label("Production …").check()
    tab.get_by_label("Only some models").check()
    tab.get_by_label("GPT-4o", exact=True).check()
    tab.get_by_role("button", name="Assign").click()
    expect(tab.get_by_text("Assigned: OpenAI for Second.")).to_be_visible()
    asked = tab.locator("#which")
    asked.get_by_label("Where").select_option(label="All of Second")
    asked.get_by_label("Provider").select_option(label="OpenAI")
    asked.get_by_label("Model").fill("gpt-4o")
    asked.get_by_role("button", name="Ask").click()
    expect(asked).to_contain_text("Your key “Production”")
    assert visitor.complaints == []
    tab.get_by_role("button", name="Remove OpenAI for Main").click()
    expect(tab.get_by_text("Removed: OpenAI for Main.")).to_be_visible()
    look(visitor)
