from datetime import datetime

from billing.credits.models import LedgerAccount
from billing.credits.services.open_ledger_account import platform_account
from billing.runtime.decisions import ReleaseRow, decide_release
from billing.runtime.models import Authorization
from billing.runtime.slots import lease_seconds
from billing.subscriptions.models import BillingAccount

_BATCH = 500


def expire_holds(*, at: datetime) -> int:
    """Close authorizations that nobody closed in time, and give back what they hold; answers how many."""
    released = 0
    while due := list(
        Authorization.objects.filter(state=Authorization.State.OPEN, expires_at__lte=at)
        .order_by("expires_at")
        .values_list("id", "account_id", "currency")[:_BATCH]
    ):
        ledgers = dict(
            BillingAccount.objects.filter(id__in={account_id for _, account_id, _ in due}).values_list(
                "id", "credits_id"
            )
        )
        rows = [
            ReleaseRow(
                id=authorization_id,
                ledger=ledgers[account_id],
                revenue=platform_account(LedgerAccount.Kind.REVENUE, currency),
                session_lease=lease_seconds(),
            )
            for authorization_id, account_id, currency in due
        ]
        released += decide_release(rows, Authorization.State.EXPIRED, at).count("released")
    return released
