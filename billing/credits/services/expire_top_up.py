from uuid import UUID

from django.db import transaction

from billing.credits.models import TopUp
from billing.credits.services.lock_top_up import lock_top_up


@transaction.atomic
def expire_top_up(*, top_up_id: UUID) -> TopUp:
    """Close a purchase that was not paid in time; one that was paid stays as it is (M4)."""
    top_up = lock_top_up(top_up_id)
    if top_up.state == TopUp.State.OPEN:
        top_up.state = TopUp.State.EXPIRED
        top_up.save(update_fields=["state"])
    return top_up
