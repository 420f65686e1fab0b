"""Who does without which e-mails."""

from datetime import timedelta

import pytest
from django.core import mail

from billing.notifications.kinds import Category, Kind
from billing.notifications.models import Notice
from billing.notifications.recipients import recipients_of
from billing.notifications.services.choose_emails import choose_emails
from billing.notifications.services.send_notices import MOST_TRIES, send_notices
from billing.notifications.services.tell_tenant import tell_tenant
from tenants.models import Tenant, User
from tenants.permissions import Role
from tests.console.make import make_member
from tests.make import AT, make_tenant

pytestmark = pytest.mark.django_db


def refuse(tenant: Tenant, user: User, *categories: Category) -> None:
    choose_emails(tenant_id=tenant.id, user_id=user.pk, wanted=dict.fromkeys(categories, False))


def test_member_does_without_a_category() -> None:
    """N1: in that tenant alone, for that category alone, until they choose again."""
    tenant, other = make_tenant(), make_tenant()
    owner, billing = make_member(tenant), make_member(tenant, Role.BILLING)
    make_member(other, Role.BILLING, user=billing)
    refuse(tenant, billing, Category.USAGE)
    assert recipients_of(tenant.id, Category.USAGE) == [owner.email]
    assert recipients_of(tenant.id, Category.BALANCE) == sorted([owner.email, billing.email])
    assert recipients_of(other.id, Category.USAGE) == [billing.email]
    choose_emails(tenant_id=tenant.id, user_id=billing.pk, wanted={Category.USAGE: True})
    assert recipients_of(tenant.id, Category.USAGE) == sorted([owner.email, billing.email])


def test_owners_hear_of_payments_in_any_case() -> None:
    """S8: also who refused them before becoming one; others may do without."""
    tenant = make_tenant()
    owner, billing = make_member(tenant), make_member(tenant, Role.BILLING)
    for user in (owner, billing):
        refuse(tenant, user, Category.PAYMENTS)
    assert recipients_of(tenant.id, Category.PAYMENTS) == [owner.email]
    tenant.memberships.filter(user=billing).update(role=Role.OWNER)
    assert recipients_of(tenant.id, Category.PAYMENTS) == sorted([owner.email, billing.email])


@pytest.mark.parametrize(("category", "roles"), [(Category.INVOICES, 3), (Category.KEYS, 2), (Category.WEBHOOKS, 2)])
def test_readers_are_who_can_do_something(category: Category, roles: int) -> None:
    """K9, N1: keys and endpoints are the owners' and admins'."""
    tenant = make_tenant()
    for role in Role:
        make_member(tenant, role)
    assert len(recipients_of(tenant.id, category)) == roles


def test_notice_that_nobody_wants() -> None:
    """N1: is not sent, and not tried again when somebody changes their mind."""
    tenant = make_tenant()
    user = make_member(tenant)
    refuse(tenant, user, Category.BALANCE)
    tell_tenant(tenant_id=tenant.id, kind=Kind.LOW_BALANCE, key="k", subject="s", body="b", at=AT)
    assert send_notices(at=AT) == 0
    choose_emails(tenant_id=tenant.id, user_id=user.pk, wanted={Category.BALANCE: True})
    assert send_notices(at=AT + timedelta(days=1)) == 0
    notice = Notice.objects.get()
    assert (notice.tries, notice.error) == (MOST_TRIES, "Nobody of the tenant wants e-mails of this kind.")
    assert mail.outbox == []
