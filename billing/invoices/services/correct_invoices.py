from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from billing.invoices.drafting import account_of
from billing.invoices.models import InvoiceLine
from billing.invoices.services.correct_usage import correct_usage
from billing.subscriptions.services.lock_ledgers import lock_ledgers
from billing.usage.models import UsageEvent

_LOOK_BACK = timedelta(days=2)


def correct_invoices(*, at: datetime) -> int:
    """Issue credit notes for invoiced usage that was taken back lately; answers how many (I1).

    Reversals are few and found by their index; those of longer ago are found when the account's next cycle closes.
    """
    lately = UsageEvent.objects.filter(reverses_id__isnull=False, recorded_at__gt=at - _LOOK_BACK)
    accounts = set(lately.values_list("account_id", flat=True))
    invoiced = InvoiceLine.objects.filter(account_id__in=accounts).exclude(product="")
    return sum(_correct(account_id, at) for account_id in sorted(set(invoiced.values_list("account_id", flat=True))))


def _correct(account_id: UUID, at: datetime) -> int:
    with transaction.atomic():
        account = account_of(account_id)
        lock_ledgers([account.id])
        return len(correct_usage(account=account, at=at))
