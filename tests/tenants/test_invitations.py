"""Invitations: who gets in by a link, and who does not (F4)."""

from datetime import timedelta

import pytest

from tenants.errors import (
    AlreadyInvited,
    AlreadyMember,
    ExpiredInvitation,
    MembershipError,
    OwnersOnly,
    RevokedInvitation,
    SentJustNow,
    SentTooOften,
    SignInFirst,
    SwitchedOff,
    TooManyInvitations,
    UnknownInvitation,
    UsedInvitation,
    WrongAddress,
)
from tenants.invitation_tokens import digest_of, make_token
from tenants.models import AuditEvent, Invitation, Tenant, User
from tenants.permissions import Role
from tenants.queries import find_invitation
from tenants.services.accept_invitation import accept_invitation
from tenants.services.add_member import add_member
from tenants.services.invite_member import MOST_OPEN, VALID_FOR, invite_member
from tenants.services.join_by_invitation import join_by_invitation
from tenants.services.record_audit import SYSTEM, Actor
from tenants.services.renew_invitation import MOST_SENDINGS, SHORTEST_WAIT, renew_invitation
from tenants.services.revoke_invitation import revoke_invitation
from tests.console.make import make_member
from tests.make import AT, make_tenant

pytestmark = pytest.mark.django_db
EMAIL = "Lin.Long@Example.com"
PASSWORD = "seven-violet-lamps"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def invite(tenant: Tenant, email: str = EMAIL, role: Role = Role.BILLING, actor: Actor = SYSTEM) -> Invitation:
    return invite_member(tenant_id=tenant.id, email=email, role=role, actor=actor, at=AT)


def token_of(invitation: Invitation) -> str:
    return make_token(invitation.id, invitation.sendings)


def make_person(email: str = EMAIL) -> User:
    return User.objects.create_user(email, PASSWORD)


def join(invitation: Invitation, *, password: str = PASSWORD) -> User:
    token = token_of(invitation)
    return join_by_invitation(invitation=invitation, token=token, name="Lin", password=password, at=AT).user


def refused(invitation: Invitation, reason: type[MembershipError], *, token: str = "", days: int = 0) -> None:
    """Neither found nor accepted, whoever comes with the link."""
    token, at = token or token_of(invitation), AT + timedelta(days=days)
    with pytest.raises(reason):
        find_invitation(token, at)
    with pytest.raises(reason):
        accept_invitation(token=token, user=make_person(), at=at)
    assert not invitation.tenant.memberships.exists()


def test_new_person_chooses_a_password(tenant: Tenant) -> None:
    """F4: a user with the invited address, a membership with its role, and a line in the audit log."""
    inviter = make_member(tenant)
    invitation = invite(tenant, actor=Actor(user_id=inviter.pk))
    user = join(invitation)
    assert (user.email, user.name, user.check_password(PASSWORD)) == ("lin.long@example.com", "Lin", True)
    assert tenant.memberships.get(user=user).role == Role.BILLING
    events = AuditEvent.objects.filter(tenant=tenant).order_by("id")
    assert [(event.action, event.actor_user_id) for event in events] == [
        ("member.invited", inviter.pk),
        ("member.joined", user.pk),
    ]


def test_person_who_is_in_another_tenant(tenant: Tenant) -> None:
    """F4: keeps that membership and the password; the address counts in any case."""
    other, user = make_tenant(), make_person("lin.long@example.com")
    make_member(other, Role.VIEWER, user=user)
    invitation = invite(tenant)
    with pytest.raises(SignInFirst):
        join(invitation, password="another-password")
    accept_invitation(token=token_of(invitation), user=user, at=AT)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert {row.tenant: row.role for row in user.memberships.all()} == {other: Role.VIEWER, tenant: Role.BILLING}


def test_person_whom_staff_added_without_a_password(tenant: Tenant) -> None:
    """F4: the link proves the address, as one to reset a password would."""
    add_member(tenant_id=make_tenant().id, email="lin.long@example.com", role=Role.VIEWER, at=AT, actor=SYSTEM)
    assert join(invite(tenant)).memberships.count() == 2


def test_link_that_is_wrong(tenant: Tenant) -> None:
    """F4: another text, and the digest itself."""
    invitation = invite(tenant)
    refused(invitation, UnknownInvitation, token=bytes(invitation.digest).hex())


def test_link_after_a_week(tenant: Tenant) -> None:
    """F4: to the instant; a week is a week."""
    invitation = invite(tenant)
    assert find_invitation(token_of(invitation), AT + VALID_FOR - timedelta(microseconds=1)) == invitation
    refused(invitation, ExpiredInvitation, days=7)


def test_link_that_was_revoked(tenant: Tenant) -> None:
    """F4: at once, and once in the audit log."""
    invitation = invite(tenant)
    for _ in range(2):
        revoke_invitation(tenant_id=tenant.id, invitation_id=invitation.id, actor=SYSTEM, at=AT)
    refused(invitation, RevokedInvitation)
    assert AuditEvent.objects.filter(action="member.invitation_revoked").count() == 1


def test_link_that_was_used(tenant: Tenant) -> None:
    """F4: a second time it opens nothing, and the invitation stays as it ended."""
    invitation = invite(tenant)
    user = join(invitation)
    with pytest.raises(UsedInvitation):
        accept_invitation(token=token_of(invitation), user=user, at=AT)
    for service in (revoke_invitation, renew_invitation):
        with pytest.raises(UsedInvitation):
            service(tenant_id=tenant.id, invitation_id=invitation.id, actor=SYSTEM, at=AT)


def test_link_for_another_address(tenant: Tenant) -> None:
    """F4: who has the link but not the address stays outside; nor does who was switched off come in."""
    invitation = invite(tenant)
    with pytest.raises(WrongAddress):
        accept_invitation(token=token_of(invitation), user=make_person("eve@example.com"), at=AT)
    User.objects.create_user(EMAIL, is_active=False)
    with pytest.raises(SwitchedOff):
        join(invitation)
    assert not tenant.memberships.exists()


def test_sending_again(tenant: Tenant) -> None:
    """F4: another link and another week, at most ten times; the former link is void."""
    invitation, later = invite(tenant), AT + timedelta(days=8)
    former = token_of(invitation)
    again = renew_invitation(tenant_id=tenant.id, invitation_id=invitation.id, actor=SYSTEM, at=later)
    assert find_invitation(token_of(again), later + timedelta(days=6)) == invitation
    with pytest.raises(UnknownInvitation):
        find_invitation(former, later)
    Invitation.objects.update(sendings=MOST_SENDINGS)
    with pytest.raises(SentTooOften):
        renew_invitation(tenant_id=tenant.id, invitation_id=invitation.id, actor=SYSTEM, at=later)


def test_sending_again_at_once(tenant: Tenant) -> None:
    """F4: once a minute from the first sending on; a press too many leaves the link as it is."""
    invitation, token, at = invite(tenant), "", AT
    for _ in range(2):
        token = token_of(invitation)
        with pytest.raises(SentJustNow, match="less than a minute ago"):
            renew_invitation(
                tenant_id=tenant.id,
                invitation_id=invitation.id,
                actor=SYSTEM,
                at=at + SHORTEST_WAIT - timedelta(microseconds=1),
            )
        assert find_invitation(token, at) == invitation
        at += SHORTEST_WAIT
        invitation = renew_invitation(tenant_id=tenant.id, invitation_id=invitation.id, actor=SYSTEM, at=at)
        assert token_of(invitation) != token


def test_one_open_invitation_an_address(tenant: Tenant) -> None:
    """F4: in any case; an expired one makes room, a member needs none."""
    first = invite(tenant)
    with pytest.raises(AlreadyInvited):
        invite(tenant, "LIN.LONG@example.com")
    Invitation.objects.update(expires_at=AT)
    second = invite(tenant, "LIN.LONG@example.com")
    first.refresh_from_db()
    assert (first.revoked_at, second.is_open(AT)) == (AT, True)
    join(second)
    with pytest.raises(AlreadyMember):
        invite(tenant)


def test_invitations_have_a_bound(tenant: Tenant) -> None:
    """F4: fifty, so that nobody writes to the whole world through the outbox."""
    Invitation.objects.bulk_create(
        Invitation(
            tenant=tenant,
            email=f"{number}@example.com",
            role=Role.VIEWER,
            digest=digest_of(str(number)),
            created_at=AT,
            sent_at=AT,
            expires_at=AT + VALID_FOR,
        )
        for number in range(MOST_OPEN)
    )
    with pytest.raises(TooManyInvitations):
        invite(tenant)


def test_owners_are_made_by_owners(tenant: Tenant) -> None:
    """F4: an admin neither invites one nor touches such an invitation."""
    admin, owner = Actor(user_id=make_member(tenant, Role.ADMIN).pk), Actor(user_id=make_member(tenant).pk)
    with pytest.raises(OwnersOnly):
        invite(tenant, role=Role.OWNER, actor=admin)
    invitation = invite(tenant, role=Role.OWNER, actor=owner)
    for service in (revoke_invitation, renew_invitation):
        with pytest.raises(OwnersOnly):
            service(tenant_id=tenant.id, invitation_id=invitation.id, actor=admin, at=AT)


def test_invitation_of_another_tenant(tenant: Tenant) -> None:
    """F4: is not there."""
    invitation = invite(make_tenant())
    for service in (revoke_invitation, renew_invitation):
        with pytest.raises(Invitation.DoesNotExist):
            service(tenant_id=tenant.id, invitation_id=invitation.id, actor=SYSTEM, at=AT)
