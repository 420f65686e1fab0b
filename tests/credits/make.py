"""Purchases of credits, and creators with something to be paid, in one line."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import count

from billing.credits.models import Creator, LedgerAccount, Payout, Sale, TopUp, Transfer
from billing.credits.services.credit_top_up import credit_top_up
from billing.credits.services.open_creator import open_creator
from billing.credits.services.open_ledger_account import open_ledger_account
from billing.credits.services.open_payout import open_payout
from billing.credits.services.open_top_up import open_top_up
from billing.credits.services.record_sale import record_sale
from billing.credits.services.take_back_top_up import take_back_top_up
from tenants.models import Tenant
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant
from tests.money_make import make_ledger, reread

_payments, _sales = count(1), count(1)


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


def make_creator(*, is_ready: bool = True, tenant: Tenant | None = None) -> Creator:
    """A tenant that sells, with an account at the processor that may be paid."""
    tenant_id = (tenant or make_tenant()).id
    creator = open_creator(tenant_id=tenant_id, currency="USD", at=AT, actor=SYSTEM)
    if is_ready:
        Creator.objects.filter(id=creator.id).update(external_account=f"acct_{creator.id.hex}", payouts_enabled=True)
    return Creator.objects.get(id=creator.id)


def sell(creator: Creator, wallet: Wallet, amount: str = "10", *, key: str = "", at: datetime = AT) -> Sale:
    return record_sale(
        creator_id=creator.id,
        buyer_id=wallet.credits.id,
        buyer_tenant_id=creator.tenant_id,
        item="Sales agent",
        amount=Decimal(amount),
        idempotency_key=key or f"sale-{next(_sales)}",
        at=at,
        actor=SYSTEM,
    )


def open_payment(creator: Creator, *, at: datetime = AT) -> Payout:
    return open_payout(creator_id=creator.id, at=at, actor=SYSTEM)


def owed_to(creator: Creator) -> str:
    return f"{LedgerAccount.objects.get(id=creator.payable_id).balance.normalize():f}"
