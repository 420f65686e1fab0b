from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from tenants.services.record_audit import Actor, record_audit
from vault.locks import lock_choices
from vault.models import Assignment
from vault.places import AssignedPlace
from vault.services.assign_key import checked_models


@transaction.atomic
def unassign_key(
    *, tenant_id: UUID, place: AssignedPlace, provider: str, models: Sequence[str], actor: Actor, at: datetime
) -> int:
    """Let farther places decide again for these models of a provider, or for all where none is named; answers how many
    rows went.

    Rows for single models stay where none is named: each row goes by its own name. Raises InvalidValue.
    """
    lock_choices(tenant_id)
    rows = Assignment.objects.filter(place.as_condition(), tenant_id=tenant_id, provider=provider)
    removed, _ = rows.filter(model__in=checked_models(models)).delete()
    if removed:
        record_audit(
            tenant_id=tenant_id,
            actor=actor,
            action="key_assignment.removed",
            target=provider,
            at=at,
            detail={**place.to_json(), "models": list(models)},
        )
    return removed
