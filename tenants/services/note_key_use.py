from datetime import datetime, timedelta

from django.db.models import Q

from tenants.models import ApiKey
from tenants.queries import Caller

EVERY = timedelta(minutes=5)


def note_key_use(*, caller: Caller, at: datetime) -> None:
    """Write down that a key was used at `at`; nothing, and no query, where that was noted within five minutes.

    Calls that arrive together may all find it due: one of them writes.
    """
    if caller.last_used_at is not None and at - caller.last_used_at <= EVERY:
        return
    due = Q(last_used_at__isnull=True) | Q(last_used_at__lt=at - EVERY)
    ApiKey.objects.filter(due, id=caller.key_id, revoked_at=None).update(last_used_at=at)
