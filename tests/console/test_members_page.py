"""The members page: inviting, roles, leaving (F4)."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils.timezone import now

from billing.notifications.services.send_notices import send_notices
from tenants.models import Invitation
from tenants.permissions import Role
from tests.console.make import QueryCount, make_client, make_member, signed_in
from tests.make import Customer, make_customer

INVITE = {"email": "lin@example.com", "role": "billing"}


def invite(customer: Customer) -> Invitation:
    make_client(customer.tenant).post("/members/invite", INVITE)
    return Invitation.objects.get()


def test_invitation_is_sent_and_listed(customer: Customer) -> None:
    """F4: by e-mail; then resent and revoked, each said on the page."""
    client = make_client(customer.tenant)
    response = client.post("/members/invite", INVITE, follow=True)
    assert "An invitation is on its way to lin@example.com." in response.text
    invitation = Invitation.objects.get()
    assert [row.email for row in response.context["page"].invitations] == ["lin@example.com"]
    response = client.post(f"/members/invitations/{invitation.id}/resend", follow=True)
    assert "An invitation was sent less than a minute ago; wait" in response.text
    Invitation.objects.update(sent_at=now() - timedelta(minutes=1))
    response = client.post(f"/members/invitations/{invitation.id}/resend", follow=True)
    assert "A new link is on its way to lin@example.com" in response.text
    assert send_notices(at=now()) == 1
    assert mail.outbox[0].to == ["lin@example.com"]
    response = client.post(f"/members/invitations/{invitation.id}/revoke", follow=True)
    assert "The invitation of lin@example.com is withdrawn." in response.text
    assert response.context["page"].invitations == []


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"email": "lin"}, "Enter a valid email address."),
        ({"email": '"<script>alert(1)</script>"@example.com'}, "Enter a valid email address."),
        ({"email": "lin..long@example.com"}, "Enter a valid email address."),
        ({"email": "lín@example.com"}, "Enter a valid email address."),
        ({"email": "lin@[127.0.0.1]"}, "Enter a valid email address."),
        ({"email": f"{'l' * 65}@example.com"}, "Enter a valid email address."),
        ({"role": "king"}, "Select a valid choice. king is not one of the available choices."),
        ({"email": "OWNER@example.com"}, "Somebody with this address is a member already."),
    ],
)
def test_refused_form_says_why(customer: Customer, changed: dict[str, str], error: str) -> None:
    """F4: 422, what was typed stays, nothing is sent."""
    user = make_member(customer.tenant)
    user.email = "owner@example.com"
    user.save()
    response = signed_in(user).post("/members/invite", INVITE | changed)
    assert response.status_code == 422
    assert error in [text for texts in response.context["page"].form.errors.values() for text in texts]
    assert not Invitation.objects.exists()


def test_address_that_is_refused(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """F4: the row says that the e-mail did not arrive, and whether it is tried again; not so of another sending."""
    client, refusals = make_client(customer.tenant), [451, 550]
    client.post("/members/invite", INVITE)

    def refuse(*_ignored: object) -> int:
        raise SMTPRecipientsRefused({INVITE["email"]: (refusals.pop(0), b"No")})

    def failure() -> str:
        [row] = client.get("/members/").context["page"].invitations
        return str(row.failure)

    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", refuse)
        send_notices(at=now())
        assert failure() == (
            "Could not be delivered: The mail server did not take it (SMTPRecipientsRefused). It is tried again."
        )
        send_notices(at=now() + timedelta(hours=1))
    assert failure() == "Could not be delivered: The mail server refused the address (SMTP 550)."
    assert failure() in client.get("/members/").text
    assert send_notices(at=now() + timedelta(days=1)) == 0
    invitation = Invitation.objects.get()
    Invitation.objects.update(sent_at=now() - timedelta(minutes=1))
    client.post(f"/members/invitations/{invitation.id}/resend")
    assert failure() == ""
    assert send_notices(at=now()) == 1


def test_admin_is_not_offered_owners(customer: Customer) -> None:
    """F4: neither the role nor a change of one; a forged form is refused."""
    owner = make_member(customer.tenant)
    client = make_client(customer.tenant, Role.ADMIN)
    page = client.get("/members/").context["page"]
    assert "owner" not in dict(page.roles)
    assert {row.email: row.may_change for row in page.members}[owner.email] is False
    assert client.post("/members/invite", INVITE | {"role": "owner"}).status_code == 422
    response = client.post(f"/members/{owner.pk}/remove", follow=True)
    assert "Only an owner can make or change owners." in response.text


def test_role_is_changed_and_member_removed(customer: Customer) -> None:
    """F4: in force at their next click."""
    client, user = make_client(customer.tenant), make_member(customer.tenant, Role.VIEWER)
    theirs = signed_in(user)
    assert theirs.get("/members/").status_code == 403
    response = client.post(f"/members/{user.pk}/role", {"role": "admin"}, follow=True)
    assert f"{user.email} is Admin now." in response.text
    assert theirs.get("/members/").status_code == 200
    client.post(f"/members/{user.pk}/remove")
    assert "No billing account to show" in theirs.get("/members/").text
    assert client.post(f"/members/{user.pk}/role", {"role": "king"}).status_code == 404


def test_last_owner_is_told_so(customer: Customer) -> None:
    """F4: no buttons, and a forged form changes nothing."""
    user = make_member(customer.tenant)
    client = signed_in(user)
    assert "The only owner" in client.get("/members/").text
    response = client.post(f"/members/{user.pk}/role", {"role": "viewer"}, follow=True)
    assert "An organisation keeps at least one owner who can sign in." in response.text


def test_who_leaves_is_led_away(customer: Customer) -> None:
    """F4: to a page that they may see."""
    make_member(customer.tenant)
    user = make_member(customer.tenant, Role.ADMIN)
    response = signed_in(user).post(f"/members/{user.pk}/role", {"role": "viewer"}, follow=True)
    assert (response.status_code, response.request["PATH_INFO"]) == (200, "/")


def test_other_tenant_s_people_are_not_there(customer: Customer) -> None:
    """F4: neither members nor invitations."""
    invitation, client = invite(customer), make_client(make_customer("free").tenant)
    user = make_member(customer.tenant)
    for path in (f"{user.pk}/role", f"{user.pk}/remove", f"invitations/{invitation.id}/revoke"):
        assert client.post(f"/members/{path}", {"role": "viewer"}).status_code == 404
    assert user.email not in client.get("/members/").text


def test_queries(customer: Customer, django_assert_num_queries: QueryCount) -> None:
    """F1: session, user, two for accounts, workspaces, members, invitations, their mails: the same for any number."""
    client = make_client(customer.tenant)
    for number in range(3):
        make_member(customer.tenant, Role.VIEWER)
        client.post("/members/invite", INVITE | {"email": f"{number}@example.com"})
    client.get("/members/")
    with django_assert_num_queries(8):
        client.get("/members/")
