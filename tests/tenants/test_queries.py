"""Finding callers, workspaces and permissions inside one tenant."""

import pytest

from tenants.api_keys import digest_of, generate_key, is_well_formed
from tenants.models import ApiKey, AuditEvent, Membership, User
from tenants.permissions import Permission, Role
from tenants.queries import find_caller, find_workspace, memberships_of, permissions_of
from tenants.services.record_audit import SYSTEM
from tenants.services.revoke_api_key import revoke_api_key
from tests.make import AT, make_api_key, make_tenant, make_workspace

pytestmark = pytest.mark.django_db


def test_caller_of_a_key() -> None:
    """F3: what the key stands for, and what it may; only the digest finds it."""
    tenant = make_tenant()
    key = make_api_key(tenant, Permission.RUNTIME)
    caller = find_caller(digest_of(key.plain))
    assert caller is not None
    assert (caller.key_id, caller.tenant_id, caller.workspace_id, caller.revoked) == (
        key.row.id,
        tenant.id,
        None,
        False,
    )
    assert caller.may(Permission.USAGE_WRITE, Permission.RUNTIME)
    assert not caller.may(Permission.BILLING_VIEW)
    assert find_caller(digest_of(generate_key())) is None


def test_revoked_key_is_found_and_marked() -> None:
    """F3: revoked once, at the first time that it was; another tenant cannot revoke it."""
    tenant, key = make_tenant(), make_api_key(make_tenant())
    with pytest.raises(ApiKey.DoesNotExist):
        revoke_api_key(tenant_id=tenant.id, key_id=key.row.id, at=AT, actor=SYSTEM)
    for _ in range(2):
        revoke_api_key(tenant_id=key.row.tenant_id, key_id=key.row.id, at=AT, actor=SYSTEM)
    caller = find_caller(digest_of(key.plain))
    assert caller is not None
    assert caller.revoked
    assert AuditEvent.objects.filter(action="api_key.revoked").count() == 1


def test_raw_key_in_audit_log() -> None:
    """Keys: neither the key nor its digest is written down where people read."""
    key = make_api_key(make_tenant())
    (line,) = AuditEvent.objects.filter(target=str(key.row.id)).values_list("detail", flat=True)
    assert line == {"name": "test", "scopes": sorted(Permission), "last_four": key.plain[-4:]}


@pytest.mark.parametrize("place", [3, 20, -1])
def test_mistyped_key_is_told_without_a_database(place: int) -> None:
    """F3: the checksum finds a wrong character."""
    key = generate_key()
    wrong = "b" if key[place] == "a" else "a"
    assert is_well_formed(key)
    assert not is_well_formed(key[:place] + wrong + key[place:][1:])


def test_workspace_by_name() -> None:
    """F3: by slug, id or prefixed id, inside the tenant and, for a bound key, inside its workspace."""
    tenant, other = make_tenant(), make_tenant()
    first, second = make_workspace(tenant), make_workspace(tenant, "second")
    foreign = make_workspace(other, "foreign")
    whole, bound = make_api_key(tenant).caller, make_api_key(tenant, workspace=second).caller
    for name in ("main", str(first.id), f"ws_{first.id.hex}"):
        assert find_workspace(whole, name) == first
        assert find_workspace(bound, name) is None
    for name in ("foreign", str(foreign.id), "nowhere", "ws_", ""):
        assert find_workspace(whole, name) is None


def test_permissions_are_of_one_tenant() -> None:
    """F4: a role in one tenant is nothing in another."""
    tenant, other, user = make_tenant(), make_tenant(), User.objects.create_user("a@example.org")
    Membership.objects.create(tenant=tenant, user=user, role=Role.DEVELOPER)
    assert permissions_of(user_id=user.pk, tenant_id=tenant.id) == {
        Permission.BILLING_VIEW,
        Permission.USAGE_WRITE,
        Permission.RUNTIME,
    }
    assert permissions_of(user_id=user.pk, tenant_id=other.id) == frozenset()
    assert [one.tenant for one in memberships_of(user.pk)] == [tenant]
