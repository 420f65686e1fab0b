from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F

from billing.credits.burn_down import burn_down
from billing.credits.models import Grant, LedgerAccount, Transfer
from billing.credits.services.fold_burn_down import fold_burn_down
from billing.credits.services.next_expiry import remember_next_expiry
from billing.credits.services.open_ledger_account import platform_account
from billing.credits.services.post_transfer import post_transfer


@transaction.atomic
def expire_grants(*, account_id: UUID, at: datetime) -> Decimal:
    """Take back what is left of the account's grants that have expired by `at`; answers the amount.

    Money that a hold reserves stays until the hold is settled or released: the run was admitted while it was good.
    """
    account = LedgerAccount.objects.select_for_update(no_key=True).get(id=account_id)
    if account.next_expiry_at is None or account.next_expiry_at > at:
        return Decimal(0)
    fold_burn_down(account_id=account_id)
    taken = Decimal(0)
    grants = list(Grant.objects.filter(account_id=account_id, amount__gt=F("consumed") + F("expired")))
    # What a hold will burn once it is settled, in the same order as spending.
    held = {
        grant.id: part
        for grant, part in burn_down([(grant, grant.remaining) for grant in grants], account.debits_pending)
    }
    for grant in grants:
        amount = grant.remaining - held.get(grant.id, Decimal(0))
        if amount <= 0 or not grant.is_expired(at):
            continue
        post_transfer(
            debit_account=account_id,
            credit_account=platform_account(LedgerAccount.Kind.BREAKAGE, account.currency),
            amount=amount,
            reason=Transfer.Reason.EXPIRY,
            # What had expired of the lot before makes the key: the rest of a lot may expire later, after a hold.
            idempotency_key=f"expiry:{grant.id}:{grant.expired}",
            at=at,
            description=f"{grant.get_source_display()} credits expired",
        )
        grant.expired += amount
        grant.save(update_fields=["expired"])
        taken += amount
    remember_next_expiry(account_id=account_id)
    return taken


def expire_due_grants(*, at: datetime, limit: int = 1000) -> int:
    """Expire grants of all accounts that are due; answers how many accounts were swept."""
    due = list(
        LedgerAccount.objects.filter(next_expiry_at__lte=at)
        .order_by("next_expiry_at", "id")
        .values_list("id", flat=True)[:limit]
    )
    for account_id in due:
        expire_grants(account_id=account_id, at=at)
    return len(due)
