"""Joining by an invitation, on a phone, from the link in the mail to the overview (F4)."""

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, ViewportSize, expect

from tenants.invitation_tokens import make_token
from tenants.models import Tenant
from tenants.permissions import Role
from tenants.services.invite_member import invite_member
from tenants.services.record_audit import SYSTEM
from tests.browser.visitor import Site, Visitor


@pytest.fixture
def link(site: Site) -> str:
    """Of an invitation to somebody new; before the browser starts."""
    tenant = Tenant.objects.get(slug="acme")
    invitation = invite_member(tenant_id=tenant.id, email="lin@example.com", role=Role.ADMIN, actor=SYSTEM, at=now())
    return f"/invitations/{make_token(invitation.id, 1)}"


def test_new_person_joins(site: Site, link: str, tab: Page) -> None:
    """F4: chooses a password, is in, and is listed; the page passes axe and fits a phone."""
    visitor = Visitor(site, tab)
    tab.set_viewport_size(ViewportSize(width=360, height=740))
    visitor.open(link)
    assert (visitor.complaints, visitor.violations(), visitor.overflow()) == ([], "", 0)
    tab.get_by_label("Your name").fill("Lin Long")
    tab.get_by_label("Choose a password").fill("seven-violet-lamps")
    tab.get_by_role("button", name="Accept and sign in").click()
    expect(tab.get_by_text("Welcome to Acme. Your role is Admin.")).to_be_visible()
    visitor.open("/members/")
    expect(tab.get_by_role("row").filter(has_text="lin@example.com")).to_contain_text("Lin Long (you)")
    tab.get_by_role("button", name="Change role").click()
    expect(tab.get_by_role("dialog").get_by_role("radio", name="Admin: everything")).to_be_checked()
    assert (visitor.complaints, visitor.violations()) == ([], "")
