from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.credits.models import Grant, LedgerAccount, TopUp, Transfer
from billing.credits.services.expire_grants import expire_grants
from billing.credits.services.fold_burn_down import fold_burn_down
from billing.credits.services.grant_credits import grant_credits
from billing.credits.services.lock_top_up import lock_top_up
from billing.credits.services.open_ledger_account import platform_account
from billing.credits.services.post_transfer import post_transfer
from billing.pricing.fees import refunded_part

_ZERO = Decimal(0)
_REVENUE, _FUNDING = LedgerAccount.Kind.REVENUE, LedgerAccount.Kind.FUNDING
_NAME = "Refund of credits bought by card"


@dataclass
class _Movement:
    """One correction of a purchase: under which keys its transfers go, and when."""

    top_up: TopUp
    receivable_id: UUID
    at: datetime

    def key(self, leg: str) -> str:
        return f"topup:{self.top_up.id}:{self.top_up.movements}:{leg}"

    def post(self, leg: str, debit: UUID, credit: UUID, amount: Decimal) -> None:
        if amount > 0:
            post_transfer(
                debit_account=debit,
                credit_account=credit,
                amount=amount,
                reason=Transfer.Reason.REFUND,
                idempotency_key=self.key(leg),
                at=self.at,
                description=_NAME,
            )


@transaction.atomic
def take_back_top_up(*, top_up_id: UUID, receivable_id: UUID, refunded: Decimal, at: datetime) -> TopUp:
    """Let a credited purchase stand as if `refunded` of what was paid had been given back, whatever stood before (M4).

    `refunded` is the whole of what refunds and disputes hold by now, in the purchase's currency; so news may come
    twice and in any order. The credits' part comes out of credits as far as they are free, the rest is owed; where
    `refunded` has become less (a dispute was won), what was owed for it goes first, then credits come back.
    Raises ValueError for a purchase that is not credited.
    """
    top_up = lock_top_up(top_up_id)
    if top_up.state != TopUp.State.CREDITED:
        raise ValueError(f"The purchase {top_up.id} is not credited.")
    refunded = min(refunded, top_up.total)
    target = refunded_part(top_up.amount, refunded=refunded, total=top_up.total, currency=top_up.currency)
    fee = refunded - target - _net(_transfers(top_up, "fee"), platform_account(_REVENUE, top_up.currency))
    if target == top_up.taken_back and fee == 0:
        return top_up
    expire_grants(account_id=top_up.account_id, at=at)
    difference = target - top_up.taken_back
    top_up.taken_back, top_up.movements = target, top_up.movements + 1
    movement = _Movement(top_up, receivable_id, at)
    if difference > 0:
        _take(movement, difference)
    elif difference < 0:
        _give_back(movement, -difference)
    _correct_fee(movement, fee)
    top_up.save(update_fields=["taken_back", "movements"])
    return top_up


def _take(movement: _Movement, amount: Decimal) -> None:
    """First from the lot that was bought, then from whatever else is free."""
    top_up = movement.top_up
    fold_burn_down(account_id=top_up.account_id)
    account = LedgerAccount.objects.get(id=top_up.account_id)
    funding = platform_account(_FUNDING, top_up.currency)
    free = min(amount, account.available)
    movement.post("credits", account.id, funding, free)
    movement.post("owed", movement.receivable_id, funding, amount - free)
    lot = Grant.objects.get(transfer__idempotency_key=f"grant:{account.id}:topup:{top_up.id}")
    lot.consumed += min(lot.remaining, free)
    lot.save(update_fields=["consumed"])


def _give_back(movement: _Movement, amount: Decimal) -> None:
    """What is still owed for this purchase goes first: it was taken last."""
    top_up = movement.top_up
    receivable = LedgerAccount.objects.select_for_update(no_key=True).get(id=movement.receivable_id)
    owed = min(_net(_transfers(top_up, "owed"), receivable.id), -receivable.balance, amount)
    movement.post("owed", platform_account(_FUNDING, top_up.currency), receivable.id, max(owed, _ZERO))
    if owed < amount:
        grant_credits(
            account_id=top_up.account_id,
            amount=amount - max(owed, _ZERO),
            source=Grant.Source.PURCHASE,
            idempotency_key=movement.key("credits"),
            at=movement.at,
            description="Credits given back: the payment stands",
            reason=Transfer.Reason.REFUND,
        )


def _correct_fee(movement: _Movement, fee: Decimal) -> None:
    currency = movement.top_up.currency
    sides = platform_account(_REVENUE, currency), platform_account(_FUNDING, currency)
    debit, credit = sides if fee > 0 else sides[::-1]
    movement.post("fee", debit, credit, abs(fee))


def _transfers(top_up: TopUp, leg: str) -> list[Transfer]:
    """What the corrections so far have moved on one leg."""
    keys = [f"topup:{top_up.id}:{number}:{leg}" for number in range(1, top_up.movements + 1)]
    return list(Transfer.objects.filter(idempotency_key__in=keys))


def _net(transfers: list[Transfer], account_id: UUID) -> Decimal:
    """What these transfers took out of an account, less what they put in."""
    return sum((t.amount if t.debit_account_id == account_id else -t.amount for t in transfers), start=_ZERO)
