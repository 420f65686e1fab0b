from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.plans.feature_values import check_value
from billing.subscriptions.models import EntitlementOverride


@transaction.atomic
def override_entitlement(
    *, account_id: UUID, feature: str, value: Any, reason: str, at: datetime, user_id: int | None = None
) -> EntitlementOverride:
    """Give one account another value of a feature than its plan does (P3).

    Raises BadFeatureValue for an unknown feature, or a value that it cannot have.
    """
    check_value(feature, value)
    override, _ = EntitlementOverride.objects.update_or_create(
        account_id=account_id,
        feature=feature,
        defaults={"value": value, "reason": reason, "created_at": at, "created_by_id": user_id},
    )
    return override
