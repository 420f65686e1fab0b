"""What holds for all pages: accessible, usable on a phone and by keyboard (F1)."""

from itertools import product
from typing import Literal

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.browser.visitor import PAGES, Visitor

DESK, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)
# The texts of tiles that are wider than their tile.
SPILLS = "tiles => tiles.filter(tile => tile.scrollWidth > tile.clientWidth).map(tile => tile.innerText)"
Scheme = Literal["light", "dark"]


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
def test_pages_pass_axe(visitor: Visitor, size: ViewportSize, scheme: Scheme) -> None:
    """F1: no violation, no complaint of the browser and no sideways scrolling; the sign-in page too."""
    page = visitor.page
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    visitor.open("/account/login/")
    assert visitor.complaints == []
    assert visitor.violations() == ""
    visitor.sign_in()
    for path in PAGES:
        visitor.open(path)
        assert visitor.overflow() == 0, path
        assert visitor.complaints == []
        assert visitor.violations() == "", path


def test_settings_pass_axe(visitor: Visitor) -> None:
    """F4: the pages of the user menu, on a phone."""
    visitor.page.set_viewport_size(PHONE)
    visitor.sign_in()
    for path in ("/account/password/change/", "/account/2fa/", "/account/2fa/totp/activate/"):
        visitor.open(path)
        visitor.confirm_password()
        assert visitor.overflow() == 0, path
        assert visitor.complaints == []
        assert visitor.violations() == "", path


def test_eleven_digits_fit(rich_visitor: Visitor) -> None:
    """F1: tiles make room for a cost of eleven digits: neither the page nor a tile scrolls sideways."""
    page = rich_visitor.page
    rich_visitor.sign_in()
    for width, path in product((390, 640, 1024, 1280), ("/credits/", "/usage/", "/")):
        page.set_viewport_size(ViewportSize(width=width, height=844))
        rich_visitor.open(path)
        expect(page.locator(".stat").filter(has_text="$").first).to_be_visible()
        assert rich_visitor.overflow() == 0, (path, width)
        assert page.locator(".stat").evaluate_all(SPILLS) == [], (path, width)
    expect(page.locator(".stat").filter(has_text="Cost this period")).to_contain_text("$12,500,000,000.24")


def test_keyboard_skips_to_the_content(visitor: Visitor) -> None:
    """F1: the first stop of the tab key leads past the navigation."""
    visitor.sign_in()
    visitor.open("/usage/")
    page = visitor.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Cost", exact=True)).to_be_focused()


def test_phone_opens_the_navigation_from_a_button(visitor: Visitor) -> None:
    """F1: and closes it with Escape."""
    visitor.page.set_viewport_size(PHONE)
    visitor.sign_in()
    page = visitor.page
    link = page.get_by_role("link", name="Credits", exact=True)
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Open menu").click()
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Open menu").click()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Credits")


def test_account_is_switched_from_the_menu(visitor: Visitor) -> None:
    """P11, F4: to the tenant's other account."""
    visitor.sign_in()
    page = visitor.page
    page.locator("summary").filter(has_text="Default").click()
    page.get_by_role("button", name="Test account").click()
    expect(page.get_by_text("Pro plan")).to_be_visible()
    assert visitor.complaints == []
