from datetime import datetime
from uuid import UUID

from django.db import transaction

from tenants.services.record_audit import Actor, record_audit
from vault.errors import InvalidValue
from vault.locks import lock_choices
from vault.models import KeyPolicy
from vault.queries import policy_of


@transaction.atomic
def set_policy(*, tenant_id: UUID, fallback: str | None, actor: Actor, at: datetime) -> None:
    """Choose what happens to runs without a usable key of the tenant's own: `strict` or `fallback` (K6).

    None takes the choice back: the plan decides. The same choice again changes nothing. Raises InvalidValue.
    """
    if fallback is not None and fallback not in KeyPolicy.Fallback.values:
        raise InvalidValue("fallback", "The policy is “strict” or “fallback”.")
    lock_choices(tenant_id)
    before = policy_of(tenant_id)
    if fallback == before:
        return
    if fallback is None:
        KeyPolicy.objects.filter(tenant_id=tenant_id).delete()
    else:
        values = {"fallback": fallback, "changed_by_id": actor.user_id, "changed_at": at}
        KeyPolicy.objects.update_or_create(tenant_id=tenant_id, defaults=values)
    record_audit(
        tenant_id=tenant_id,
        actor=actor,
        action="key_policy.set",
        target="fallback",
        at=at,
        detail={"before": before, "after": fallback},
    )
