from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.stripe_sync.differences import Difference
from billing.stripe_sync.models import DriftFinding


@transaction.atomic
def record_findings(*, account_id: UUID | None, differences: Iterable[Difference], at: datetime) -> list[DriftFinding]:
    """Keep the drift report of an account, or of the catalogue, in step with what differs now (S5).

    A difference that is there no more is noted as repaired; one that comes back is a finding of its own. Answers what
    is open.
    """
    open_rows = DriftFinding.objects.select_for_update().filter(account_id=account_id, repaired_at=None)
    known = {(row.kind, row.object_id, row.field): row for row in open_rows}
    found = []
    for difference in differences:
        row = known.pop((difference.kind, difference.object_id, difference.field), None) or DriftFinding(
            account_id=account_id,
            kind=difference.kind,
            object_id=difference.object_id,
            field=difference.field,
            found_at=at,
        )
        row.theirs, row.ours, row.seen_at = difference.theirs[:300], difference.ours[:300], at
        row.save()
        found.append(row)
    DriftFinding.objects.filter(id__in=[row.id for row in known.values()]).update(repaired_at=at)
    return found
