"""Adding lots of credits."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.credits.errors import TransferConflict
from billing.credits.models import Grant, Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.credits.services.fold_burn_down import fold_burn_down
from tests.make import AT
from tests.money_make import left_of, make_grant, make_ledger, reread, spend

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_same_key_gives_the_first_lot() -> None:
    """M6, idempotency_key_that_contains_the_time: what a retry says about time changes nothing."""
    ledger = make_ledger()
    first = make_grant(ledger, "5", key="topup", expires_at=AT + DAY)
    assert make_grant(ledger, "5", key="topup", at=AT + DAY * 2, expires_at=AT + DAY).id == first.id
    assert (reread(ledger).balance, Transfer.objects.count()) == (5, 1)


def test_idempotency_key_that_contains_the_time() -> None:
    """Money: the ledger's keys are made of what is granted, never of when: two moments, one movement."""
    ledger = make_ledger()
    for minutes in range(3):
        make_grant(ledger, "5", key="promo", at=AT + timedelta(minutes=minutes))
    assert Transfer.objects.get().idempotency_key == f"grant:{ledger.id}:promo"


def test_key_of_another_amount_is_a_conflict() -> None:
    """M6: a key cannot stand for two amounts."""
    ledger = make_ledger()
    make_grant(ledger, "5", key="topup")
    with pytest.raises(TransferConflict):
        make_grant(ledger, "6", key="topup")
    assert reread(ledger).balance == 5


def test_keys_of_two_accounts_are_apart() -> None:
    """M6: a key belongs to its account."""
    one, two = make_ledger(), make_ledger()
    assert make_grant(one, "5", key="topup").id != make_grant(two, "6", key="topup").id


@pytest.mark.parametrize(
    ("amount", "expires_in"), [("0", None), ("-1", None), ("0.0000000001", None), ("1", -DAY), ("1", 0 * DAY)]
)
def test_senseless_grant_is_refused(amount: str, expires_in: timedelta | None) -> None:
    """M6: nothing, less than nothing, less than a nano-unit, or a lot that is over before it begins."""
    with pytest.raises(ValueError, match=r"grant|transfer"):
        make_grant(make_ledger(), amount, expires_at=None if expires_in is None else AT + expires_in)
    assert not Grant.objects.exists()


def test_burns_by_priority_then_expiry_then_age() -> None:
    """M6: the lowest number first; of equals what expires first, never-expiring last; of those the oldest."""
    ledger = make_ledger()
    old = make_grant(ledger, "1")
    late = make_grant(ledger, "1", expires_at=AT + 9 * DAY)
    soon = make_grant(ledger, "1", expires_at=AT + DAY)
    first = make_grant(ledger, "1", priority=1)
    new = make_grant(ledger, "1", at=AT + timedelta(hours=1))
    for burned in ([first], [first, soon], [first, soon, late], [first, soon, late, old]):
        assert spend(ledger, "1")
        fold_burn_down(account_id=ledger.id)
        left = ["0" if grant in burned else "1" for grant in (old, late, soon, first, new)]
        assert left_of(old, late, soon, first, new) == left


def test_spending_before_a_lot_burns_what_was_there() -> None:
    """M6: a better lot that comes later does not pay for what ran before it."""
    ledger = make_ledger()
    plain = make_grant(ledger, "5")
    spend(ledger, "2")
    better = make_grant(ledger, "5", priority=1)
    spend(ledger, "1")
    fold_burn_down(account_id=ledger.id)
    assert left_of(plain, better) == ["3", "4"]


def test_money_that_is_given_back_comes_from_revenue() -> None:
    """U3: a charge that is taken back leaves revenue, not the source of purchased credits."""
    ledger = make_ledger("5")
    spend(ledger, "5")
    grant = make_grant(ledger, Decimal("1.5"), source=Grant.Source.ADJUSTMENT, given_back=True)
    assert (grant.transfer.reason, grant.transfer.debit_account.kind) == ("reversal", "revenue")
    assert check_ledger(at=AT) == []
