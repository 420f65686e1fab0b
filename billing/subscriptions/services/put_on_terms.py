from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from billing.subscriptions.models import BillingAccount, Subscription
from billing.subscriptions.state import PlanTerms


@transaction.atomic
def put_on_terms(*, account_id: UUID, terms: PlanTerms, at: datetime) -> Subscription:
    """Let the account have a plan on these terms from `at` on, ending what it had.

    What would have begun at `at` or later never does: these terms are news. So it succeeds also where another process,
    whose clock is a little ahead, has just changed the plan.
    """
    account = BillingAccount.objects.select_for_update().get(id=account_id)
    subscriptions = Subscription.objects.filter(account=account)
    subscriptions.filter(starts_at__gte=at).delete()
    subscriptions.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at)).update(ends_at=at)
    return Subscription.objects.create(
        account=account,
        plan_version_id=terms.plan_version_id,
        interval=terms.interval,
        variant=terms.variant,
        seats=terms.seats,
        anchor=terms.anchor,
        agreement_id=terms.agreement_id,
        starts_at=at,
    )
