"""Reading credits: balances, the ledger, what is left of grants."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from django.db.models import F, Q

from billing.credits.burn_down import burn_down
from billing.credits.models import Grant, LedgerAccount, Transfer


@dataclass(frozen=True, slots=True)
class Balance:
    """Of prepaid credits. `posted` includes held money and excludes expired grants; `available` can be spent."""

    currency: str
    posted: Decimal
    held: Decimal
    owed: Decimal

    @property
    def available(self) -> Decimal:
        return self.posted - self.held


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A posted transfer as its customer sees it: positive amounts came in, negative ones went out.

    `account` is `credits` where prepaid credits moved, `owed` where what the next invoice asks for did.
    """

    id: UUID
    at: datetime
    reason: str
    description: str
    amount: Decimal
    account: Literal["credits", "owed"]


def balance_of(*, credits_id: UUID, receivable_id: UUID, at: datetime) -> Balance:
    """The balance at `at`, in two queries; a grant that has expired does not count even if no worker has swept."""
    accounts = {account.id: account for account in LedgerAccount.objects.filter(id__in=[credits_id, receivable_id])}
    prepaid, receivable = accounts[credits_id], accounts[receivable_id]
    posted = prepaid.balance
    if prepaid.next_expiry_at is not None and prepaid.next_expiry_at <= at:
        posted -= min(_lapsed(prepaid, at), prepaid.available)
    return Balance(
        prepaid.currency, posted, prepaid.debits_pending, receivable.debits_posted - receivable.credits_posted
    )


def _lapsed(account: LedgerAccount, at: datetime) -> Decimal:
    """What a sweep would take: what is left of expired grants, without what holds will burn of them."""
    lots = grants_of(account)
    # Lots are read after the account and may be fewer by now.
    pending = min(account.debits_pending, sum((left for _, left in lots), start=Decimal(0)))
    held = {grant.id: part for grant, part in burn_down(lots, pending)}
    expired = (left - held.get(grant.id, Decimal(0)) for grant, left in lots if grant.is_expired(at))
    return sum(expired, start=Decimal(0))


def grants_of(account: LedgerAccount) -> list[tuple[Grant, Decimal]]:
    """The account's grants that have money left, with how much: spending not yet written down is taken off."""
    grants = list(Grant.objects.filter(account=account, amount__gt=F("consumed") + F("expired")))
    unfolded = sum((grant.remaining for grant in grants), start=Decimal(0)) - account.balance
    taken = {grant.id: amount for grant, amount in burn_down([(g, g.remaining) for g in grants], unfolded)}
    left = [(grant, grant.remaining - taken.get(grant.id, Decimal(0))) for grant in grants]
    return [(grant, amount) for grant, amount in left if amount > 0]


def ledger_of(
    *, credits_id: UUID, receivable_id: UUID, limit: int, before: tuple[datetime, UUID] | None = None
) -> list[LedgerEntry]:
    """Posted transfers of a customer's credits and of what they owe, newest first, older than the position `before`.

    Holds are not listed: they are in the balance until they are posted or void.
    """
    account_ids = (credits_id, receivable_id)
    transfers = Transfer.objects.filter(phase__in=[Transfer.Phase.POSTED, Transfer.Phase.POST_PENDING])
    if before is not None:
        at, last = before
        # The first condition is implied by the second: an index can start from it.
        transfers = transfers.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=last), created_at__lte=at)
    # One page of each side of each account, read in the order of its index, makes sure of one page of all.
    sides = [Q(**{side: account_id}) for account_id in account_ids for side in ("debit_account", "credit_account")]
    first, *others = [transfers.filter(side).order_by("-created_at", "-id")[:limit] for side in sides]
    return [
        LedgerEntry(
            id=transfer.id,
            at=transfer.created_at,
            reason=transfer.reason,
            description=transfer.description,
            amount=-transfer.amount if transfer.debit_account_id in account_ids else transfer.amount,
            account="credits" if credits_id in {transfer.debit_account_id, transfer.credit_account_id} else "owed",
        )
        for transfer in first.union(*others).order_by("-created_at", "-id")[:limit]
    ]
