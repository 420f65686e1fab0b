from datetime import datetime
from uuid import UUID

import structlog

from billing.subscriptions.agreements import grace
from billing.subscriptions.errors import UnknownPlan
from billing.subscriptions.models import Agreement, Subscription
from billing.subscriptions.services.follow_agreement import follow_agreement

_log = structlog.get_logger(__name__)


def end_grace_periods(*, at: datetime) -> int:
    """Put the accounts whose payment is overdue for longer than the grace on their free plan; answers how many (S8).

    The agreement goes on: should the payment arrive after all, its plan comes back.
    """
    overdue = Subscription.objects.filter(
        ends_at__isnull=True,
        agreement__status=Agreement.Status.PAST_DUE,
        agreement__past_due_since__lte=at - grace(),
    )
    return sum(_end(account_id, at) for account_id in list(overdue.values_list("account_id", flat=True)))


def _end(account_id: UUID, at: datetime) -> bool:
    """One account's trouble is not another's."""
    try:
        follow_agreement(account_id=account_id, at=at)
    except UnknownPlan:
        _log.exception("no_free_plan", account=str(account_id))
        return False
    return True
