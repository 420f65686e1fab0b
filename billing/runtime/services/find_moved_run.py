from django.db import transaction

from billing.runtime.models import Authorization
from billing.subscriptions.directory import Placement
from billing.subscriptions.services.lock_ledgers import lock_ledgers


@transaction.atomic
def find_moved_run(*, placement: Placement, idempotency_key: str) -> Authorization | None:
    """The authorization that a moved workspace's key stands for, under an account that paid before (P11).

    A decision that is still under way under an old account holds its ledger row, and is waited for; a later one is
    refused as stale. Another workspace's key is another key. Without a former account there is no reason to ask.
    """
    lock_ledgers(placement.former)
    known = Authorization.objects.filter(
        account_id__in=placement.former, workspace_id=placement.workspace_id, idempotency_key=idempotency_key
    )
    return known.order_by("id").first()
