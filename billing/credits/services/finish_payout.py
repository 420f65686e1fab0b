from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.credits.models import LedgerAccount, Payout, Transfer
from billing.credits.services.lock_payable import lock_payable
from billing.credits.services.open_ledger_account import platform_account
from billing.credits.services.post_transfer import post_transfer
from billing.credits.services.record_payout import record_payout

_State = Payout.State


@transaction.atomic
def finish_payout(*, payout_id: UUID, external_id: str, returned: Decimal, at: datetime) -> Payout:
    """Let a payout stand as the processor's transfer `external_id` does, `returned` of which came back (M10).

    What came back is owed again. The same news again, or older ones, change nothing: what has come back stays back.
    """
    payout = _locked(payout_id)
    if payout.state == _State.FAILED:
        raise ValueError(f"The payout {payout_id} has failed, and yet {external_id} was sent.")
    before = payout.state, payout.returned
    payout.external_id = external_id
    payout.finished_at = payout.finished_at or at
    _owe_again(payout, min(returned, payout.amount), at)
    payout.state = _State.REVERSED if payout.returned == payout.amount else _State.PAID
    if (payout.state, payout.returned) != before:
        payout.save(update_fields=["state", "external_id", "returned", "finished_at"])
        record_payout(payout, "returned" if payout.returned else "paid", at=at)
    return payout


@transaction.atomic
def fail_payout(*, payout_id: UUID, error: str, at: datetime) -> Payout:
    """Owe again what the processor has refused to send; a payout that is not on its way stays as it is (M10)."""
    payout = _locked(payout_id)
    if payout.state == _State.PENDING:
        _owe_again(payout, payout.amount, at)
        payout.state, payout.error, payout.finished_at = _State.FAILED, error[:300], at
        payout.save(update_fields=["state", "error", "returned", "finished_at"])
        record_payout(payout, "failed", at=at)
    return payout


def _locked(payout_id: UUID) -> Payout:
    lock_payable(Payout.objects.select_related("creator").get(id=payout_id).creator)
    return Payout.objects.select_related("creator").get(id=payout_id)


def _owe_again(payout: Payout, returned: Decimal, at: datetime) -> None:
    """Put back what has come back since. What came back before makes the key."""
    if returned > payout.returned:
        post_transfer(
            debit_account=platform_account(LedgerAccount.Kind.FUNDING, payout.currency),
            credit_account=payout.creator.payable_id,
            amount=returned - payout.returned,
            reason=Transfer.Reason.PAYOUT,
            idempotency_key=f"payout:{payout.id}:returned:{payout.returned:.9f}",
            at=at,
            description="Payout came back",
        )
        payout.returned = returned
