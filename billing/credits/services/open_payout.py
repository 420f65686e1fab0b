from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from billing.credits.errors import PayoutRefused
from billing.credits.models import Creator, LedgerAccount, Payout, Transfer
from billing.credits.services.lock_payable import lock_payable
from billing.credits.services.open_ledger_account import platform_account
from billing.credits.services.post_transfer import post_transfer
from billing.credits.services.record_payout import record_payout
from billing.pricing.fees import payable_decimals
from tenants.services.record_audit import Actor


@transaction.atomic
def open_payout(*, creator_id: UUID, at: datetime, actor: Actor) -> Payout:
    """Take what is owed to a creator out of the ledger, to be sent afterwards (M10).

    Raises PayoutRefused where nothing is owed, where a payout is on its way, or where the processor does not pay.
    """
    creator = Creator.objects.select_related("payable").get(id=creator_id)
    payable = lock_payable(creator)
    creator.refresh_from_db(fields=["external_account", "payouts_enabled"])
    amount = payable.balance.quantize(Decimal(1).scaleb(-payable_decimals(payable.currency)), ROUND_DOWN)
    _check(creator, amount)
    payout_id = uuid7()
    transfer = post_transfer(
        debit_account=payable.id,
        credit_account=platform_account(LedgerAccount.Kind.FUNDING, payable.currency),
        amount=amount,
        reason=Transfer.Reason.PAYOUT,
        idempotency_key=f"payout:{payout_id}",
        at=at,
        description="Payout",
    )
    payout = Payout.objects.create(
        id=payout_id, creator=creator, amount=amount, currency=payable.currency, transfer=transfer, created_at=at
    )
    record_payout(payout, "opened", at=at, actor=actor)
    return payout


def _check(creator: Creator, amount: Decimal) -> None:
    if not creator.external_account or not creator.payouts_enabled:
        raise PayoutRefused(f"{creator} cannot be paid yet: its account at the processor is not ready.")
    if Payout.objects.filter(creator=creator, state=Payout.State.PENDING).exists():
        raise PayoutRefused(f"A payout to {creator} is on its way.")
    if amount <= 0:
        raise PayoutRefused(f"Nothing is owed to {creator}.")
