from collections.abc import Mapping
from uuid import UUID

from billing.subscriptions.directory import Placement
from billing.subscriptions.services.lock_ledgers import lock_ledgers
from billing.usage.inputs import EventInput
from billing.usage.models import UsageEvent
from billing.usage.rows import digest_of
from billing.usage.services.record_batch import Known


def find_before_move(
    *, account_id: UUID, events: Mapping[int, EventInput], placements: Mapping[str, Placement]
) -> dict[int, Known]:
    """What events of moved workspaces stand for already, under accounts that paid before, by their places (U2, P11).

    Inside the caller's transaction: the ledger rows of all these accounts and of the present one are locked first, so
    that a call that is still under way under an old account is waited for. Another workspace's key is another key.
    Without a moved workspace there is no query.
    """
    former = {one for placement in placements.values() for one in placement.former}
    if not former:
        return {}
    moved = {
        place: (placements[event.workspace].workspace_id, event.idempotency_key)
        for place, event in events.items()
        if placements[event.workspace].former
    }
    lock_ledgers({account_id, *former})
    found = UsageEvent.objects.filter(
        account_id__in=former,
        workspace_id__in={workspace_id for workspace_id, _ in moved.values()},
        idempotency_key__in={key for _, key in moved.values()},
    ).order_by("-id")
    first = {(one.workspace_id, one.idempotency_key): one for one in found}
    return {
        place: Known(one.id, bytes(one.body_digest).hex() == digest_of(events[place]))
        for place, key in moved.items()
        if (one := first.get(key)) is not None
    }
