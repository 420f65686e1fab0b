"""Sales and payouts from many connections at once."""

import pytest

from billing.credits.errors import InsufficientCredits, PayoutRefused
from billing.credits.models import Creator, Payout, Sale
from billing.credits.services.check_ledger import check_ledger
from tests.credits.make import Wallet, make_creator, make_wallet, open_payment, owed_to, sell
from tests.make import AT
from tests.money_make import in_threads

pytestmark = pytest.mark.usefixtures("own_database")


def _sells(creator: Creator, wallet: Wallet) -> bool:
    try:
        sell(creator, wallet, "1")
    except InsufficientCredits:
        return False
    return True


def _pays(creator: Creator) -> bool:
    try:
        open_payment(creator)
    except PayoutRefused:
        return False
    return True


def test_sales_and_payouts_at_once() -> None:
    """M10: a buyer's last credits are spent once, and what is owed is sent once."""
    creator, wallets = make_creator(), [make_wallet("5"), make_wallet("5")]
    in_threads(lambda n: _pays(creator) if n % 8 == 0 else _sells(creator, wallets[n % 2]), 32)
    assert Sale.objects.count() == 10
    assert Payout.objects.count() <= 1
    sent = sum(payout.amount for payout in Payout.objects.all())
    assert owed_to(creator) == f"{(8 - sent):f}".rstrip("0").rstrip(".")
    assert check_ledger(at=AT) == []


def test_one_of_many_payouts_is_opened() -> None:
    """M10: sixteen clicks at once open one payout."""
    creator = make_creator()
    sell(creator, make_wallet("10"))
    assert sum(in_threads(lambda _: _pays(creator), 16)) == 1
    assert Payout.objects.get().amount == 8
    assert check_ledger(at=AT) == []
