"""Moving money at once."""

from decimal import Decimal
from uuid import UUID

import pytest

from billing.credits.errors import InsufficientCredits, TransferConflict
from billing.credits.models import LedgerAccount, Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.credits.services.open_ledger_account import open_ledger_account, platform_account
from billing.credits.services.post_transfer import post_transfer
from tests.make import AT
from tests.money_make import make_ledger, reread, revenue

pytestmark = pytest.mark.django_db


def move(debit: UUID, credit: UUID, amount: str, key: str = "k") -> Transfer:
    return post_transfer(
        debit_account=debit,
        credit_account=credit,
        amount=Decimal(amount),
        reason=Transfer.Reason.ADJUSTMENT,
        idempotency_key=key,
        at=AT,
    )


def test_moves_once_under_one_key() -> None:
    """M1: the same key again gives the first transfer and moves nothing."""
    ledger = make_ledger("5")
    first = move(ledger.id, revenue(), "2.000000001")
    assert move(ledger.id, revenue(), "2.000000001").id == first.id
    assert reread(ledger).balance == Decimal("2.999999999")
    assert check_ledger(at=AT) == []


@pytest.mark.parametrize("changed", ["amount", "debit", "credit"])
def test_key_of_another_movement_is_a_conflict(changed: str) -> None:
    """M1: a key that stands for another movement moves nothing."""
    ledger, other = make_ledger("5"), make_ledger("5")
    move(ledger.id, revenue(), "2")
    funding = platform_account(LedgerAccount.Kind.FUNDING, "USD")
    with pytest.raises(TransferConflict):
        move(
            other.id if changed == "debit" else ledger.id,
            funding if changed == "credit" else revenue(),
            "3" if changed == "amount" else "2",
        )
    assert (reread(ledger).balance, reread(other).balance) == (3, 5)


def test_no_more_than_there_is() -> None:
    """M1: a nano-dollar too much is refused and leaves no trace; the whole balance is not."""
    ledger = make_ledger("5")
    with pytest.raises(InsufficientCredits, match=r"5\.000000000 USD is available, 5\.000000001 is needed"):
        move(ledger.id, revenue(), "5.000000001")
    move(ledger.id, revenue(), "5")
    assert reread(ledger).balance == 0


@pytest.mark.parametrize("amount", ["0", "-1", "1.0000000025"])
def test_amount_that_the_ledger_cannot_hold_is_refused(amount: str) -> None:
    """M11: an amount finer than a nano-unit would be rounded one way in the transfer and another way in the total."""
    ledger = make_ledger("5")
    with pytest.raises(ValueError, match="nine decimals"):
        move(ledger.id, revenue(), amount)
    assert reread(ledger).balance == 5


def test_a_customer_may_owe() -> None:
    """M1: only prepaid credits stop at zero; a receivable grows, and its payment credits it."""
    receivable = open_ledger_account(kind=LedgerAccount.Kind.RECEIVABLE, currency="USD", at=AT)
    move(receivable.id, revenue(), "7", "owed")
    move(platform_account(LedgerAccount.Kind.FUNDING, "USD"), receivable.id, "3", "paid")
    assert reread(receivable).balance == -4
    assert check_ledger(at=AT) == []
