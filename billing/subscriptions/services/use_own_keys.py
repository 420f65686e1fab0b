from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.subscriptions.models import BillingAccount
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def use_own_keys(*, account_id: UUID, enabled: bool, actor: Actor, at: datetime) -> bool:
    """Let an account's runs use the tenant's own provider keys where they are assigned, or none of them (K7, K11).

    Answers whether anything changed. Holds for the next run in every process: a trigger raises the account's version.
    Plans that run on own keys only have no such choice and ignore it. Raises BillingAccount.DoesNotExist.
    """
    account = BillingAccount.objects.select_for_update(no_key=True).get(id=account_id)
    if account.own_keys == enabled:
        return False
    BillingAccount.objects.filter(id=account_id).update(own_keys=enabled)
    record_audit(
        tenant_id=account.tenant_id,
        actor=actor,
        action="own_keys.switched",
        target=encode_id("acc", account_id),
        at=at,
        detail={"enabled": enabled},
    )
    return True
