"""Taking back what is left of grants whose time has passed."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.credits.models import LedgerAccount, Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.credits.services.expire_grants import expire_due_grants, expire_grants
from billing.credits.services.open_ledger_account import platform_account
from tests.make import AT
from tests.money_make import capture, hold, left_of, make_grant, make_ledger, release, reread, spend

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LATER = AT + 2 * DAY


def test_takes_what_is_left() -> None:
    """M6: the unspent rest of an expired lot goes to breakage, once; the other lots stay."""
    ledger = make_ledger("5")
    grant = make_grant(ledger, "3", expires_at=AT + DAY)
    spend(ledger, "1")
    assert expire_grants(account_id=ledger.id, at=AT + DAY - timedelta(microseconds=1)) == 0
    assert expire_grants(account_id=ledger.id, at=AT + DAY) == 2
    assert expire_grants(account_id=ledger.id, at=LATER) == 0
    assert (reread(ledger).balance, reread(ledger).next_expiry_at, left_of(grant)) == (5, None, ["0"])
    line = Transfer.objects.get(reason="expiry")
    assert line.credit_account_id == platform_account(LedgerAccount.Kind.BREAKAGE, "USD")
    assert check_ledger(at=LATER) == []


def test_lot_that_was_spent_expires_without_a_line() -> None:
    """M6: an expired lot that spending has used up takes nothing from the others."""
    ledger = make_ledger("5")
    make_grant(ledger, "3", expires_at=AT + DAY)
    spend(ledger, "4")
    assert expire_grants(account_id=ledger.id, at=LATER) == 0
    assert (reread(ledger).balance, reread(ledger).next_expiry_at) == (4, None)


def test_held_money_stays_until_the_run_is_settled() -> None:
    """M6: a run that was admitted on a lot is paid from it although the lot has expired meanwhile; the rest expires."""
    ledger = make_ledger("10")
    grant = make_grant(ledger, "10", expires_at=AT + DAY)
    run = hold(ledger, "8")
    assert run is not None
    assert expire_grants(account_id=ledger.id, at=LATER) == 2
    assert (reread(ledger).balance, reread(ledger).available) == (18, 10)
    capture(ledger, run, "5", at=LATER)
    assert expire_grants(account_id=ledger.id, at=LATER) == 3
    assert (reread(ledger).balance, left_of(grant)) == (10, ["0"])
    assert check_ledger(at=LATER) == []


def test_released_money_of_an_expired_lot_cannot_be_spent() -> None:
    """M6: once its hold is gone, the rest of the lot expires before anything else is admitted."""
    ledger = make_ledger()
    make_grant(ledger, "8", expires_at=AT + DAY)
    run = hold(ledger, "8")
    assert run is not None
    assert expire_grants(account_id=ledger.id, at=LATER) == 0
    release(ledger, run, at=LATER)
    assert not spend(ledger, "0.000000001", at=LATER)
    assert reread(ledger).balance == 0


def test_never_below_zero_with_everything_held() -> None:
    """M1, M6: expiry takes free money only."""
    ledger = make_ledger()
    make_grant(ledger, "3", expires_at=AT + DAY)
    make_grant(ledger, "3", expires_at=AT + 2 * DAY)
    assert hold(ledger, "6") is not None
    assert expire_grants(account_id=ledger.id, at=AT + 3 * DAY) == 0
    assert reread(ledger).available == 0


def test_hold_burns_in_the_order_of_spending() -> None:
    """M6: a hold on a lot of better priority does not shield an expired lot that it would not have burned."""
    ledger = make_ledger()
    make_grant(ledger, "5", priority=1)
    make_grant(ledger, "5", expires_at=AT + DAY)
    assert hold(ledger, "4") is not None
    assert expire_grants(account_id=ledger.id, at=LATER) == 5


def test_sweep_reaches_every_account_that_is_due() -> None:
    """M6: the periodic task takes all accounts that are due and no other."""
    due, fresh = [make_ledger() for _ in range(3)], make_ledger()
    for ledger in due:
        make_grant(ledger, "2", expires_at=AT + DAY)
    make_grant(fresh, "2", expires_at=LATER + DAY)
    assert expire_due_grants(at=LATER) == 3
    assert [reread(ledger).balance for ledger in (*due, fresh)] == [0, 0, 0, 2]
    assert expire_due_grants(at=LATER) == 0


def test_purchased_credits_survive_a_promotion_that_expires() -> None:
    """M6, rollover_lost_at_renewal: only the lot with a date goes, however much was spent before."""
    ledger = make_ledger()
    bought, given = make_grant(ledger, "10"), make_grant(ledger, "10", priority=1, expires_at=AT + DAY)
    spend(ledger, "4")
    expire_grants(account_id=ledger.id, at=LATER)
    assert (left_of(bought, given), reread(ledger).balance) == (["10", "0"], Decimal(10))
