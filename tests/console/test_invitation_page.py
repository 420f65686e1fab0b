"""What an invitation's link opens, for whom (F4)."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from tenants.invitation_tokens import make_token
from tenants.models import Invitation, User
from tenants.permissions import Role
from tenants.services.invite_member import invite_member
from tenants.services.record_audit import SYSTEM
from tenants.services.revoke_invitation import revoke_invitation
from tests.console.make import make_member, make_user, signed_in
from tests.make import AT, Customer, make_customer

PASSWORD = "seven-violet-lamps"
EMAIL = "lin@example.com"


@pytest.fixture
def invitation(customer: Customer) -> Invitation:
    return invite_member(tenant_id=customer.tenant.id, email=EMAIL, role=Role.ADMIN, actor=SYSTEM, at=AT)


@pytest.fixture
def link(invitation: Invitation) -> str:
    return f"/invitations/{make_token(invitation.id, 1)}"


def test_new_person_joins_and_is_signed_in(customer: Customer, link: str) -> None:
    """F4: by a password of their own; the answer is kept by nobody."""
    client = Client()
    page = client.get(link)
    assert "no-store" in page["Cache-Control"]
    assert "Choose a password" in page.text
    response = client.post(link, {"name": "Lin", "password": PASSWORD}, follow=True)
    assert response.request["PATH_INFO"] == "/"
    assert "Welcome to Acme. Your role is Admin." in response.text
    assert response.context["console"].user_email == EMAIL
    again = Client().get(link)
    assert again.status_code == 410
    assert "This invitation was accepted already." in again.text


@pytest.mark.parametrize("password", ["short", "password123", "lin@example.com", ""])
def test_weak_password_is_refused(link: str, password: str) -> None:
    """F4: by the rules for all passwords; nobody is made, and the password is not put into the answer."""
    response = Client().post(link, {"name": "Lin", "password": password})
    assert response.status_code == 422
    assert list(response.context["page"].form.errors) == ["password"]
    assert not password or f'value="{password}"' not in response.text.replace(f'name="username" value="{EMAIL}"', "")
    assert not User.objects.filter(email=EMAIL).exists()


def test_known_person_signs_in_first(customer: Customer, link: str) -> None:
    """F4: to this link's page; nobody's password is changed by a link."""
    user = User.objects.create_user("LIN@example.com", PASSWORD)
    client = Client()
    assert f"/account/login/?next={link}" in client.get(link).text
    client.post(link, {"password": "another-password-9"})
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    response = client.post(f"/account/login/?next={link}", {"login": EMAIL, "password": PASSWORD}, follow=True)
    assert "Accept the invitation" in response.text
    response = client.post(link, follow=True)
    assert "Welcome to Acme." in response.text


def test_member_of_another_tenant_sees_the_new_one(customer: Customer, link: str) -> None:
    """F4: right after joining, whatever was chosen before; both can be switched to."""
    other = make_customer("free", slug="aaa")
    user = make_member(other.tenant, user=User.objects.create_user(EMAIL, PASSWORD))
    console = signed_in(user).post(link, follow=True).context["console"]
    assert console.tenant_name == "Acme"
    assert [option.label for option in console.switch_options] == ["Aaa", "Acme"]


def test_somebody_else_who_is_signed_in(customer: Customer, link: str) -> None:
    """F4: is told so, may sign out to this page again, and does not join by a forged form."""
    user = make_user()
    client = signed_in(user)
    for response in (client.get(link), client.post(link)):
        assert f'You are signed in as <strong class="font-medium">{user.email}' in response.text
    assert not customer.tenant.memberships.exists()
    response = client.post("/account/logout/", {"next": link}, follow=True)
    assert "Choose a password" in response.text


def test_looking_accepts_nothing(customer: Customer, link: str) -> None:
    """F4: programs open links in e-mails before people do."""
    client = signed_in(User.objects.create_user(EMAIL, PASSWORD))
    client.get(link)
    client.head(link)
    assert not customer.tenant.memberships.exists()


def test_links_that_are_void(
    customer: Customer, invitation: Invitation, link: str, clock: time_machine.Traveller
) -> None:
    """F4: each says why and what to do, to who is signed in as to others."""
    unknown = Client().get("/invitations/" + "x" * 43)
    assert (unknown.status_code, "No invitation belongs to this link." in unknown.text) == (404, True)
    clock.move_to(AT + timedelta(days=8))
    expired = signed_in(make_user()).get(link)
    assert (expired.status_code, "This invitation has expired." in expired.text) == (410, True)
    assert "Ask the person who invited you to send it again" in expired.text
    revoke_invitation(tenant_id=customer.tenant.id, invitation_id=invitation.id, actor=SYSTEM, at=AT)
    revoked = Client().post(link, {"password": PASSWORD})
    assert (revoked.status_code, "This invitation was withdrawn." in revoked.text) == (410, True)


def test_account_that_is_switched_off(customer: Customer, link: str) -> None:
    """F4: an account that was switched off does not come in by an invitation."""
    User.objects.create_user(EMAIL, is_active=False)
    response = Client().post(link, {"password": PASSWORD})
    assert (response.status_code, "The account with this address is switched off." in response.text) == (410, True)
