from datetime import datetime

from django.db import transaction
from django.db.models import F

from billing.credits.models import LedgerAccount
from billing.runtime.models import Session

_BATCH = 500


def end_lost_sessions(*, at: datetime) -> int:
    """Write down which sessions have ended for want of a sign of life (P9); answers how many.

    Their slots have been free since: whoever counts slots looks at the clock. Accounts that are busy just now are left
    for the next time.
    """
    ended = 0
    while batch := _end_batch(at):
        ended += batch
    return ended


@transaction.atomic
def _end_batch(at: datetime) -> int:
    lost = Session.objects.filter(ended_at__isnull=True, lease_until__lte=at)
    due = lost.order_by("lease_until").values_list("account_id", flat=True)[:_BATCH]
    ledgers = LedgerAccount.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    free = ledgers.filter(credits_of__id__in=set(due)).order_by("id").values_list("credits_of__id", flat=True)
    return lost.filter(account_id__in=list(free)).update(state=Session.State.EXPIRED, ended_at=F("lease_until"))
