from datetime import datetime
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction

from billing.usage.models import UsageWatch

_MOST = 50_000  # entries; a process that refuses more starts over
_put: set[tuple[UUID, datetime]] = set()
_log = structlog.get_logger(__name__)


def put_on_watch(*, account_id: UUID, at: datetime) -> None:
    """Have an account looked at although nothing was used: its credits do not suffice for a run (M9).

    Written once a process and minute. What goes wrong here is logged and leaves the refusal as it is.
    """
    key = account_id, at.replace(second=0, microsecond=0)
    if key in _put:
        return
    try:
        with transaction.atomic():
            UsageWatch.objects.bulk_create([UsageWatch(account_id=account_id, touched_at=at)], ignore_conflicts=True)
    except DatabaseError:
        _log.exception("account_not_watched", account=str(account_id))
        return
    if len(_put) >= _MOST:
        _put.clear()
    _put.add(key)
