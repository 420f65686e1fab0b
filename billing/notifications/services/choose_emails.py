from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from billing.notifications.kinds import OWNERS_ALWAYS, Category
from billing.notifications.models import NotificationPreference
from tenants.models import Membership
from tenants.permissions import Role


@transaction.atomic
def choose_emails(*, tenant_id: UUID, user_id: int, wanted: Mapping[Category, bool]) -> None:
    """Write down which e-mails a member wants; categories that are not named stay as they are.

    What owners cannot do without is left as it is for them. Raises Membership.DoesNotExist.
    """
    role = Membership.objects.get(tenant_id=tenant_id, user_id=user_id).role
    chosen = [
        NotificationPreference(tenant_id=tenant_id, user_id=user_id, category=category, email=email)
        for category, email in wanted.items()
        if role != Role.OWNER or category not in OWNERS_ALWAYS
    ]
    NotificationPreference.objects.bulk_create(
        chosen, update_conflicts=True, unique_fields=["tenant", "user", "category"], update_fields=["email"]
    )
