"""Payments of what is owed."""

from decimal import Decimal

import pytest

from billing.credits.models import Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.credits.services.settle_receivable import settle_receivable
from tests.credits.make import Wallet, make_wallet
from tests.make import AT
from tests.money_make import in_threads, owe


def settle(wallet: Wallet, amount: str, key: str = "invoice:in_1") -> Decimal:
    return settle_receivable(
        credits_id=wallet.credits.id,
        receivable_id=wallet.receivable.id,
        amount=Decimal(amount),
        idempotency_key=key,
        at=AT,
        description="Invoice",
    )


@pytest.mark.django_db
def test_payment_settles_once() -> None:
    """S7: the same invoice again settles nothing more, whatever is owed by then."""
    wallet = make_wallet("5")
    owe(wallet.receivable, "10.004")
    assert settle(wallet, "10") == settle(wallet, "10") == 10
    assert wallet.figures == ("5", "0.004")
    assert Transfer.objects.get(reason="payment").idempotency_key == "invoice:in_1"
    assert check_ledger(at=AT) == []


@pytest.mark.django_db
def test_never_more_than_is_owed() -> None:
    """S7: an invoice that rounded up pays for what was used, and no credits come of it."""
    wallet = make_wallet("5")
    owe(wallet.receivable, "9.996")
    assert settle(wallet, "10") == Decimal("9.996")
    assert settle(wallet, "10", key="invoice:in_2") == 0
    assert wallet.figures == ("5", "0")
    assert check_ledger(at=AT) == []


@pytest.mark.usefixtures("own_database")
def test_payments_at_once() -> None:
    """S7: two invoices, each told of eight times at once, settle what is owed and no more."""
    wallet = make_wallet()
    owe(wallet.receivable, "15")
    in_threads(lambda number: settle(wallet, "10", key=f"invoice:in_{number % 2}"), 16)
    assert wallet.figures == ("0", "0")
    assert sorted(t.amount for t in Transfer.objects.filter(reason="payment")) == [5, 10]
    assert check_ledger(at=AT) == []
