"""Roles that change, members who go, and the owner who stays (F4)."""

from contextlib import suppress

import pytest
from django.db import IntegrityError, connection, transaction

from tenants.errors import LastOwner, OwnersOnly
from tenants.models import AuditEvent, Membership, Tenant, User
from tenants.permissions import Role
from tenants.services.change_role import change_role
from tenants.services.record_audit import SYSTEM, Actor
from tenants.services.remove_member import remove_member
from tests.console.make import make_member
from tests.make import AT, make_tenant
from tests.money_make import in_threads


@pytest.fixture
def tenant(db: None) -> Tenant:
    return make_tenant()


def change(tenant: Tenant, user: User, role: Role, *, actor: Actor = SYSTEM) -> Membership:
    return change_role(tenant_id=tenant.id, user_id=user.pk, role=role, actor=actor, at=AT)


def remove(tenant: Tenant, user: User, *, actor: Actor = SYSTEM) -> User:
    return remove_member(tenant_id=tenant.id, user_id=user.pk, actor=actor, at=AT)


def test_changes_are_in_the_audit_log(tenant: Tenant) -> None:
    """F4: who, whom, from which role to which; the same role again is no change."""
    owner, user = make_member(tenant), make_member(tenant, Role.VIEWER)
    actor = Actor(user_id=owner.pk)
    for _ in range(2):
        change(tenant, user, Role.ADMIN, actor=actor)
    remove(tenant, user, actor=actor)
    events = AuditEvent.objects.filter(tenant=tenant).order_by("id")
    assert [(event.action, event.target, event.detail) for event in events] == [
        ("member.changed", user.email, {"role": "admin", "before": "viewer"}),
        ("member.removed", user.email, {"role": "admin"}),
    ]
    assert {event.actor_user_id for event in events} == {owner.pk}


def test_last_owner_stays(tenant: Tenant) -> None:
    """F4: neither removed nor made less, also where the other owner is switched off; a second one frees the first."""
    owner, second = make_member(tenant), make_member(tenant)
    User.objects.filter(id=second.pk).update(is_active=False)
    with pytest.raises(LastOwner):
        remove(tenant, owner)
    with pytest.raises(LastOwner):
        change(tenant, owner, Role.ADMIN)
    User.objects.filter(id=second.pk).update(is_active=True)
    change(tenant, owner, Role.ADMIN)
    remove(tenant, owner)
    assert tenant.memberships.get().user == second


def test_admins_leave_owners_alone(tenant: Tenant) -> None:
    """F4: and do not make themselves one."""
    owner, admin = make_member(tenant), make_member(tenant, Role.ADMIN)
    make_member(tenant)
    actor = Actor(user_id=admin.pk)
    with pytest.raises(OwnersOnly):
        remove(tenant, owner, actor=actor)
    with pytest.raises(OwnersOnly):
        change(tenant, owner, Role.VIEWER, actor=actor)
    with pytest.raises(OwnersOnly):
        change(tenant, admin, Role.OWNER, actor=actor)


def test_member_of_another_tenant_is_not_there(tenant: Tenant) -> None:
    """F4: the boundary of tenants."""
    user = make_member(make_tenant(), Role.VIEWER)
    with pytest.raises(Membership.DoesNotExist):
        change(tenant, user, Role.ADMIN)
    with pytest.raises(Membership.DoesNotExist):
        remove(tenant, user)


@pytest.mark.usefixtures("own_database")
def test_owners_who_leave_at_once() -> None:
    """F4: of six who are removed or made less from many connections, by the services or past them, one is left."""
    tenant = make_tenant()
    owners = [make_member(tenant) for _ in range(6)]

    def leave(number: int) -> None:
        mine = Membership.objects.filter(tenant=tenant, user=owners[number])
        with suppress(LastOwner, IntegrityError), transaction.atomic():
            if number % 3 == 0:
                remove(tenant, owners[number])
            elif number % 3 == 1:
                change(tenant, owners[number], Role.VIEWER)
            else:
                with connection.cursor() as cursor:
                    cursor.execute("DELETE FROM tenants_membership WHERE id = %s", [mine.get().pk])

    in_threads(leave, len(owners))
    assert tenant.memberships.filter(role=Role.OWNER).count() == 1
    with pytest.raises(IntegrityError, match="last owner"):
        tenant.memberships.all().delete()
