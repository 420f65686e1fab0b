"""Users of an account against their caps of the day."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F

from billing.core.periods import day_containing
from billing.usage.alerts import USER_CAP
from billing.usage.models import Counter


def costliest_users(account_id: UUID, at: datetime, *, limit: int) -> list[tuple[str, Decimal]]:
    """The users whose runs of the UTC day cost most, running ones counted, with what they cost; one query."""
    today = Counter.objects.filter(
        account_id=account_id, feature=USER_CAP, window_start=day_containing(at).start
    ).annotate(taken=F("used") + F("reserved"))
    rows = today.filter(taken__gt=0).order_by("-taken", "subject")
    return list(rows.values_list("subject", "taken")[:limit])
