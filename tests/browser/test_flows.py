"""What people do at the console, start to end (F1, F3, F4)."""

import re
from base64 import b32decode
from datetime import UTC, datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.core.cache import cache
from playwright.sync_api import expect

from tests.browser.visitor import PASSWORD, Visitor

PLAIN = re.compile(r"^qk_[0-9A-Za-z]{38}$")


def test_key_is_made_shown_once_and_revoked(visitor: Visitor) -> None:
    """F3, K2: the panel is swapped; after a reload the key is gone; revoking asks first."""
    visitor.sign_in()
    visitor.open("/api-keys/")
    page = visitor.page
    page.get_by_label("Name").fill("Runtime")
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    page.get_by_label("usage.write: report usage, authorize and settle runs").check()
    page.get_by_role("button", name="Create key").click()
    expect(page.locator("#new-key")).to_have_text(PLAIN)
    assert page.url == f"{visitor.site.url}/api-keys/"
    page.reload()
    expect(page.locator("#new-key")).to_have_count(0)
    page.get_by_role("button", name="Revoke Runtime").press("Enter")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("The key “Runtime” is revoked.")).to_be_visible()
    expect(page.get_by_role("row", name="Runtime qk_")).to_contain_text("Revoked")


def test_more_movements_are_loaded_into_the_table(visitor: Visitor) -> None:
    """F1, M1: the next rows take the place of the button."""
    visitor.sign_in()
    visitor.open("/credits/")
    rows = visitor.page.locator("#ledger tr")
    expect(rows).to_have_count(26)
    visitor.page.get_by_role("link", name="Load more").click()
    expect(rows).to_have_count(34)
    expect(visitor.page.get_by_role("link", name="Load more")).to_have_count(0)
    assert visitor.complaints == []


def test_password_is_changed(visitor: Visitor) -> None:
    """F4: from the user menu, and the new one is what counts."""
    visitor.sign_in()
    page = visitor.page
    page.get_by_label(f"Account menu of {visitor.site.email}").click()
    page.get_by_role("link", name="Change password").click()
    page.get_by_label("Current Password").fill(PASSWORD)
    page.get_by_label("New Password", exact=True).fill("another-horse-battery")
    page.get_by_label("New Password (again)").fill("another-horse-battery")
    page.get_by_role("button", name="Change Password").click()
    expect(page.get_by_text("Password successfully changed.")).to_be_visible()
    assert visitor.complaints == []


def test_second_factor_is_asked_for_once_it_is_on(visitor: Visitor) -> None:
    """F4: an authenticator app, from the user menu to the next sign-in."""
    visitor.sign_in()
    page = visitor.page
    page.get_by_label(f"Account menu of {visitor.site.email}").click()
    page.get_by_role("link", name="Two-factor sign-in").click()
    page.get_by_role("link", name="Activate").click()
    page.wait_for_url(re.compile("reauthenticate|activate"))
    visitor.confirm_password()
    secret = page.get_by_label("Authenticator secret").input_value()
    page.get_by_label("Authenticator code").fill(_code(secret))
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("Authenticator app activated.")).to_be_visible()
    cache.clear()  # where it is remembered that this code was used
    page.goto("/")
    page.get_by_label(f"Account menu of {visitor.site.email}").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail address").fill(visitor.site.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/account/2fa/authenticate/"))
    assert visitor.violations() == ""
    page.get_by_label("Code").fill(_code(secret))
    page.get_by_role("button", name="Sign In", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    assert visitor.complaints == []


def test_staff_reach_the_admin_by_the_same_sign_in(visitor: Visitor) -> None:
    """F2, F4: and the admin runs under its own content security policy without a complaint."""
    page, site = visitor.page, visitor.site
    page.goto("/admin/")
    page.get_by_label("E-mail address").fill(site.staff_email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site.url}/admin/")
    page.wait_for_load_state("networkidle")
    assert visitor.complaints == []
    page.goto("/")
    page.get_by_role("link", name="Open the staff admin").click()
    page.wait_for_url(f"{site.url}/admin/")


def test_members_do_not_reach_the_admin(visitor: Visitor) -> None:
    """F2, F4: whatever their role in a tenant."""
    visitor.sign_in()
    answer = visitor.page.goto("/admin/")
    assert answer is not None
    assert answer.status == 403


def _code(secret: str) -> str:
    """The six digits of RFC 6238 for now."""
    key = b32decode(secret + "=" * (-len(secret) % 8))
    totp = TOTP(key, 6, SHA1(), 30, enforce_key_length=False)
    return totp.generate(int(datetime.now(UTC).timestamp())).decode()
