"""Credits from many connections at once."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest

from billing.credits.models import Grant, Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.credits.services.expire_grants import expire_due_grants
from billing.credits.services.open_ledger_account import platform_account
from tests.make import AT
from tests.money_make import in_threads, make_grant, make_ledger, reread, spend

pytestmark = pytest.mark.usefixtures("own_database")
DAY = timedelta(days=1)


def test_topup_settled_twice_within_milliseconds() -> None:
    """Money: sixteen deliveries of one payment at once make one lot, and each answers with it."""
    ledger = make_ledger()
    lots = in_threads(lambda _: make_grant(ledger, "25", key="payment"), 16)
    assert len({lot.id for lot in lots}) == Grant.objects.count() == Transfer.objects.count() == 1
    assert reread(ledger).balance == 25
    assert check_ledger(at=AT) == []


def test_reset_and_debit_race_discards_credits() -> None:
    """Money: grants, spending and expiry at once lose and invent nothing, to the nano-dollar."""
    ledger = make_ledger("1")
    make_grant(ledger, "5", expires_at=AT + DAY)
    later = AT + 2 * DAY

    def work(number: int) -> Decimal:
        if number % 4 == 0:
            expire_due_grants(at=later)
        if number % 4 == 1:
            make_grant(ledger, "0.5", at=later, expires_at=None if number % 8 == 1 else later + DAY)
        amount = Decimal(random.randrange(1, 10**9)).scaleb(-9)
        return amount if spend(ledger, amount, at=later) else Decimal(0)

    spent = sum(in_threads(work, 64))
    account = reread(ledger)
    assert account.credits_posted == 6 + 16 * Decimal("0.5")
    assert account.balance == account.credits_posted - 5 - spent
    assert Transfer.objects.get(reason="expiry").amount == 5
    assert check_ledger(at=later) == []


def test_two_workers_expire_each_grant_once() -> None:
    """M6: workers that sweep the same accounts at the same moment take each lot once."""
    ledgers = [make_ledger() for _ in range(12)]
    for ledger in ledgers:
        make_grant(ledger, "3", expires_at=AT + DAY)
        make_grant(ledger, "4", expires_at=AT + 9 * DAY)
        spend(ledger, "1")
    in_threads(lambda _: expire_due_grants(at=AT + DAY), 4)
    assert [reread(ledger).balance for ledger in ledgers] == [4] * 12
    assert Transfer.objects.filter(reason="expiry").count() == 12
    assert check_ledger(at=AT + DAY) == []


def test_first_grants_of_a_currency_at_once() -> None:
    """M1: the platform's account of a currency is made once, though many need it first."""
    platform_account.cache_clear()
    ledgers = [make_ledger() for _ in range(8)]
    in_threads(lambda number: make_grant(ledgers[number], "1"), 8)
    assert Transfer.objects.values("debit_account").distinct().count() == 1
