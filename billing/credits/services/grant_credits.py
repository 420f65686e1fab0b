from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.credits.models import Grant, LedgerAccount, Transfer
from billing.credits.services.expire_grants import expire_grants
from billing.credits.services.fold_burn_down import fold_burn_down
from billing.credits.services.next_expiry import remember_next_expiry
from billing.credits.services.open_ledger_account import platform_account
from billing.credits.services.post_transfer import post_transfer

_REASONS = {
    Grant.Source.PURCHASE: Transfer.Reason.PURCHASE,
    Grant.Source.PROMOTION: Transfer.Reason.PROMOTION,
    Grant.Source.REFERRAL: Transfer.Reason.PROMOTION,
    Grant.Source.ADJUSTMENT: Transfer.Reason.ADJUSTMENT,
}

_REVENUE, _FUNDING = LedgerAccount.Kind.REVENUE, LedgerAccount.Kind.FUNDING


@transaction.atomic
def grant_credits(
    *,
    account_id: UUID,
    amount: Decimal,
    source: Grant.Source,
    idempotency_key: str,
    at: datetime,
    priority: int = 100,
    expires_at: datetime | None = None,
    description: str = "",
    given_back: bool = False,
    out_of: UUID | None = None,
    reason: Transfer.Reason | None = None,
) -> Grant:
    """Add a lot of credits to a customer's account, in its currency; the same key again gives the first lot.

    Lower `priority` burns first. `given_back` money comes out of revenue: a charge that is taken back; else it comes
    `out_of` the account named, or of what is funded. The ledger shows the source's `reason` unless another is given.
    Raises ValueError for an amount that is not positive or an expiry that has passed, TransferConflict when the key
    stands for another movement.
    """
    if amount <= 0:
        raise ValueError("A grant needs an amount above zero.")
    account = LedgerAccount.objects.select_for_update(no_key=True).get(id=account_id)
    key = f"grant:{account_id}:{idempotency_key}"
    known = Grant.objects.filter(transfer__idempotency_key=key, amount=amount).first()
    if known is not None:
        return known
    if expires_at is not None and expires_at <= at:  # not before: a late retry of a grant that is known is no mistake
        raise ValueError("A grant cannot expire before it is made.")
    expire_grants(account_id=account_id, at=at)
    fold_burn_down(account_id=account_id)
    transfer = post_transfer(
        debit_account=out_of or platform_account(_REVENUE if given_back else _FUNDING, account.currency),
        credit_account=account_id,
        amount=amount,
        reason=reason or (Transfer.Reason.REVERSAL if given_back else _REASONS[source]),
        idempotency_key=key,
        at=at,
        description=description,
    )
    grant = Grant.objects.create(
        account_id=account_id,
        transfer=transfer,
        source=source,
        priority=priority,
        amount=amount,
        expires_at=expires_at,
        created_at=at,
    )
    remember_next_expiry(account_id=account_id)
    return grant
