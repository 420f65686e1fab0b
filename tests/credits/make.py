"""Purchases of credits, and creators with something to be paid, in one line."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import count

from billing.credits.models import LedgerAccount, TopUp, Transfer
from billing.credits.services.credit_top_up import credit_top_up
from billing.credits.services.open_ledger_account import open_ledger_account
from billing.credits.services.open_top_up import open_top_up
from billing.credits.services.take_back_top_up import take_back_top_up
from tests.make import AT
from tests.money_make import make_ledger, reread

_payments = count(1)


@dataclass(frozen=True)
class Wallet:
    """A customer's two ledger accounts."""

    credits: LedgerAccount
    receivable: LedgerAccount

    @property
    def figures(self) -> tuple[str, str]:
        """What is available and what is owed, without trailing zeros."""
        figures = (reread(self.credits).available, -reread(self.receivable).balance)
        return tuple(f"{figure.normalize():f}" for figure in figures)  # type: ignore[return-value]


def make_wallet(balance: str = "") -> Wallet:
    receivable = open_ledger_account(kind=LedgerAccount.Kind.RECEIVABLE, currency="USD", at=AT)
    return Wallet(make_ledger(balance), receivable)


def make_top_up(wallet: Wallet, amount: str = "20", fee: str = "1") -> TopUp:
    return open_top_up(account_id=wallet.credits.id, amount=Decimal(amount), fee=Decimal(fee), at=AT)


def pay(top_up: TopUp, *, at: datetime = AT) -> TopUp:
    reference = f"pi_{next(_payments)}"
    return credit_top_up(top_up_id=top_up.id, paid=top_up.total, payment_reference=reference, at=at)


def make_paid(wallet: Wallet, amount: str = "20", fee: str = "1") -> TopUp:
    return pay(make_top_up(wallet, amount, fee))


def take_back(wallet: Wallet, top_up: TopUp, refunded: str | Decimal, *, at: datetime = AT) -> TopUp:
    return take_back_top_up(top_up_id=top_up.id, receivable_id=wallet.receivable.id, refunded=Decimal(refunded), at=at)


def platform_totals() -> dict[str, Decimal]:
    """What came into each of the platform's accounts, less what went out."""
    totals: dict[str, Decimal] = {}
    for transfer in Transfer.objects.filter(phase__in=["posted", "post_pending"]).select_related(
        "debit_account", "credit_account"
    ):
        for account, sign in ((transfer.debit_account, -1), (transfer.credit_account, 1)):
            if account.kind in LedgerAccount.PLATFORM_KINDS:
                totals[account.kind] = totals.get(account.kind, Decimal(0)) + sign * transfer.amount
    return totals
