from datetime import datetime

from billing.subscriptions.agreements import grace
from billing.subscriptions.models import Agreement, Subscription
from billing.subscriptions.services.follow_agreement import follow_agreement


def end_grace_periods(*, at: datetime) -> int:
    """Put the accounts whose payment is overdue for longer than the grace on their free plan; answers how many (S8).

    The agreement goes on: should the payment arrive after all, its plan comes back.
    """
    overdue = Subscription.objects.filter(
        ends_at__isnull=True,
        agreement__status=Agreement.Status.PAST_DUE,
        agreement__past_due_since__lte=at - grace(),
    )
    accounts = list(overdue.values_list("account_id", flat=True))
    for account_id in accounts:
        follow_agreement(account_id=account_id, at=at)
    return len(accounts)
