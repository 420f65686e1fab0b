"""The credits page: the balance, the grants that it is made of, and every movement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.console.pages.ledger import LedgerRow, LedgerSlice, Position, ledger_slice
from billing.console.pages.top_ups import Purchase, TopUpPanel, purchases
from billing.core.money import minor_unit
from billing.credits.models import LedgerAccount
from billing.credits.queries import balance_of, grants_of
from billing.invoices.queries import OpenSum, asked_of_debt, has_documents, to_be_paid
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import governing_agreement

MOVEMENTS = 25


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A lot of credits with what is left of it."""

    source: str
    priority: int
    amount: Decimal
    remaining: Decimal
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class CreditsPage:
    """Amounts in `currency`. `asked` is what open invoices ask for, `waiting` what is owed and no invoice asks for yet.

    `subscribes` tells whether a subscription's next invoice will, or credits that are bought pay it first.
    `had_credits` is true once anything came in, whatever is left of it; `top_up` is None for who may not buy.
    """

    currency: str
    balance: Decimal
    held: Decimal
    available: Decimal
    asked: OpenSum
    waiting: Decimal
    subscribes: bool
    had_credits: bool
    grants: Sequence[GrantRow]
    ledger: Sequence[LedgerRow]
    next_url: str
    purchases: Sequence[Purchase]
    top_up: TopUpPanel | None


@dataclass(frozen=True, slots=True)
class MovementsPage:
    """Further movements alone: what a swap asks for."""

    currency: str
    ledger: Sequence[LedgerRow]
    next_url: str


def credits_page(
    account: BillingAccount, at: datetime, *, top_up: TopUpPanel | None, before: Position | None = None
) -> CreditsPage:
    """The account's credits as of `at`, with the movements older than `before`; `top_up` for who may buy more."""
    balance = balance_of(credits_id=account.credits_id, receivable_id=account.receivable_id, at=at)
    movements, waiting = _movements(account, before), _waiting(account, balance.owed)
    ledger = LedgerAccount.objects.get(id=account.credits_id)
    return CreditsPage(
        currency=balance.currency,
        balance=balance.posted,
        held=balance.held,
        available=balance.available,
        asked=to_be_paid(account.id),
        waiting=waiting,
        subscribes=bool(waiting) and governing_agreement(account.id) is not None,
        had_credits=ledger.credits_posted > 0,
        grants=_grants(ledger, at),
        ledger=movements.rows,
        next_url=movements.next_url,
        purchases=purchases(account, at),
        top_up=top_up,
    )


def movements_page(account: BillingAccount, *, before: Position | None) -> MovementsPage:
    """The movements older than `before`."""
    movements = _movements(account, before)
    return MovementsPage(account.currency, movements.rows, movements.next_url)


def _movements(account: BillingAccount, before: Position | None) -> LedgerSlice:
    return ledger_slice(account, limit=MOVEMENTS, before=before)


def _waiting(account: BillingAccount, owed: Decimal) -> Decimal:
    """What is owed beyond what invoices ask for; what they rounded off is no news."""
    waiting = owed - asked_of_debt(account.id) if owed > 0 else Decimal(0)
    is_rest = 0 < waiting < minor_unit(account.currency) and has_documents(account.id)
    return Decimal(0) if is_rest else max(waiting, Decimal(0))


def _grants(ledger: LedgerAccount, at: datetime) -> list[GrantRow]:
    """A grant that has expired is not listed even if no worker has swept it: the balance leaves it out too."""
    return [
        GrantRow(grant.source, grant.priority, grant.amount, remaining, grant.expires_at)
        for grant, remaining in grants_of(ledger)
        if grant.expires_at is None or grant.expires_at > at
    ]
