"""Whose addresses e-mails go to, and who does without which."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.notifications.kinds import OWNERS_ALWAYS, READERS, Category
from billing.notifications.models import NotificationPreference
from tenants.models import Membership
from tenants.permissions import ROLE_PERMISSIONS, Permission, Role


def addresses(tenant_id: UUID, permission: Permission = Permission.BILLING_MANAGE) -> list[str]:
    """Who of the tenant has the permission, in a fixed order."""
    return _emails(_members(tenant_id, permission))


def recipients_of(tenant_id: UUID, category: Category) -> list[str]:
    """Who of the tenant is written to about this, in a fixed order; one query."""
    unwanted = NotificationPreference.objects.filter(
        tenant_id=tenant_id, user_id=OuterRef("user_id"), category=category, email=False
    )
    wants = Q(~Exists(unwanted))
    if category in OWNERS_ALWAYS:
        wants |= Q(role=Role.OWNER)
    return _emails(_members(tenant_id, READERS[category]).filter(wants))


def unwanted_categories(*, user_id: int, tenant_id: UUID) -> set[str]:
    """What a member does without; one query."""
    rows = NotificationPreference.objects.filter(user_id=user_id, tenant_id=tenant_id, email=False)
    return set(rows.values_list("category", flat=True))


def _members(tenant_id: UUID, permission: Permission) -> QuerySet[Membership]:
    roles = [role.value for role, permissions in ROLE_PERMISSIONS.items() if permission in permissions]
    return Membership.objects.filter(tenant_id=tenant_id, role__in=roles, user__is_active=True)


def _emails(members: QuerySet[Membership]) -> list[str]:
    return list(members.order_by("user__email").values_list("user__email", flat=True))
