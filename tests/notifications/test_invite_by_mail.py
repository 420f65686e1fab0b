"""The e-mail of an invitation, and its link that stands nowhere."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection

from billing.notifications.models import Notice
from billing.notifications.services.invite_again_by_mail import invite_again_by_mail
from billing.notifications.services.invite_by_mail import invite_by_mail
from billing.notifications.services.send_notices import send_notices
from tenants.models import Invitation, Tenant
from tenants.permissions import Role
from tenants.queries import find_invitation
from tenants.services.record_audit import SYSTEM, Actor
from tenants.services.revoke_invitation import revoke_invitation
from tests.console.make import make_member
from tests.make import AT, make_tenant

pytestmark = pytest.mark.django_db
LINK = re.compile(r"/invitations/([\w-]{43})\b")


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def invite(tenant: Tenant) -> Invitation:
    actor = Actor(user_id=make_member(tenant).pk)
    return invite_by_mail(tenant_id=tenant.id, email="lin@example.com", role=Role.VIEWER, actor=actor, at=AT)


def token_in(message: mail.EmailMessage) -> str:
    """The one token of a mail; text and HTML have the same."""
    assert isinstance(message, mail.EmailMultiAlternatives)
    (token,) = set(LINK.findall(f"{message.body}{message.alternatives[0][0]}"))
    return str(token)


def everything_stored() -> str:
    """Both tables, as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n::text FROM billing_notifications_notice n UNION SELECT i::text FROM tenants_invitation i"
        )
        return "\n".join(row[0] for row in cursor.fetchall())


def test_mail_goes_to_the_address_alone(tenant: Tenant) -> None:
    """F4: with a link that works, which neither outbox nor invitation holds before or after it was sent."""
    invitation = invite(tenant)
    assert send_notices(at=AT) == 1
    (sent,) = mail.outbox
    assert sent.to == ["lin@example.com"]
    token = token_in(sent)
    assert find_invitation(token, AT) == invitation
    assert token not in everything_stored()


def test_each_sending_has_a_link(tenant: Tenant) -> None:
    """F4: of two mails that wait, the void one is not sent any more."""
    invitation = invite(tenant)
    later = AT + timedelta(minutes=1)
    invite_again_by_mail(tenant_id=tenant.id, invitation_id=invitation.id, actor=SYSTEM, at=later)
    assert send_notices(at=later) == 1
    assert find_invitation(token_in(mail.outbox[0]), AT) == invitation
    assert sorted(Notice.objects.values_list("error", flat=True)) == ["", "The invitation is not open any more."]


def test_revoked_before_it_was_sent(tenant: Tenant) -> None:
    """F4: nobody gets a link that is void."""
    invitation = invite(tenant)
    revoke_invitation(tenant_id=tenant.id, invitation_id=invitation.id, actor=SYSTEM, at=AT)
    assert send_notices(at=AT + timedelta(hours=1)) == 0
    assert mail.outbox == []


def test_names_cannot_break_the_mail(tenant: Tenant) -> None:
    """F4: whatever members call themselves, it is one line of text and no link."""
    Tenant.objects.filter(id=tenant.id).update(name="A <b>\r\n\r\nhttps://evil.example.com/")
    invite(tenant)
    send_notices(at=AT)
    (sent,) = mail.outbox
    assert isinstance(sent, mail.EmailMultiAlternatives)
    html = str(sent.alternatives[0][0])
    assert "A &lt;b&gt; https://evil.example.com/" in html
    assert 'href="https://evil' not in html
    assert "\n" not in sent.subject
