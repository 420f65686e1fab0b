"""What a member or an API key may do, and which role carries what.

The same five words are a member's permissions and a key's scopes, so that one check serves console and API.
"""

from enum import StrEnum


class Permission(StrEnum):
    """A permission of a member, a scope of an API key."""

    TENANT_MANAGE = "tenant.manage"  # members, API keys, provider keys
    BILLING_MANAGE = "billing.manage"  # whatever costs money
    BILLING_VIEW = "billing.view"  # balances, usage, invoices
    USAGE_WRITE = "usage.write"  # report usage, authorize and settle runs, register agents
    RUNTIME = "runtime"  # what the platform's own runtime does: authorize and settle runs, report usage


class Role(StrEnum):
    """A member's role in a tenant."""

    OWNER = "owner"
    ADMIN = "admin"
    BILLING = "billing"
    DEVELOPER = "developer"
    VIEWER = "viewer"


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(Permission),
    Role.BILLING: frozenset({Permission.BILLING_MANAGE, Permission.BILLING_VIEW}),
    Role.DEVELOPER: frozenset({Permission.BILLING_VIEW, Permission.USAGE_WRITE, Permission.RUNTIME}),
    Role.VIEWER: frozenset({Permission.BILLING_VIEW}),
}


def role_permissions(role: str) -> frozenset[Permission]:
    """Permissions of a role; none for a role that this release does not know."""
    return ROLE_PERMISSIONS[Role(role)] if role in set(Role) else frozenset()
