"""Refunds from many connections at once."""

from decimal import Decimal

import pytest

from billing.credits.models import TopUp
from billing.credits.services.check_ledger import check_ledger
from tests.credits.make import Wallet, make_paid, make_wallet, platform_totals, take_back
from tests.make import AT
from tests.money_make import in_threads, spend

pytestmark = pytest.mark.usefixtures("own_database")


def test_credit_note_race_refunds_too_much() -> None:
    """Money: refunds that are seen at once never take back more than was bought."""
    wallet = make_wallet()
    top_up = make_paid(wallet, "20", "1")
    seen = ["10.50", "21", "21", "10.50"] * 4
    in_threads(lambda number: take_back(wallet, top_up, seen[number]), 16)
    take_back(wallet, top_up, "21")
    assert wallet.figures == ("0", "0")
    assert TopUp.objects.get().taken_back == 20
    assert platform_totals() == {"funding": 0, "revenue": 0}
    assert check_ledger(at=AT) == []


def test_reset_and_debit_race_discards_credits() -> None:
    """Money: spending, purchases and refunds at once lose and invent nothing."""
    wallet = make_wallet("5")
    top_ups = [make_paid(wallet, "2", "0.10") for _ in range(8)]
    spent = in_threads(lambda n: _refund_or_spend(n, wallet, top_ups), 32)
    available, owed = (Decimal(figure) for figure in wallet.figures)
    assert available - owed == 5 - sum(spent)
    assert check_ledger(at=AT) == []


def _refund_or_spend(number: int, wallet: Wallet, top_ups: list[TopUp]) -> int:
    if number % 4 == 0:
        take_back(wallet, top_ups[number // 4], "2.10")
        return 0
    return int(spend(wallet.credits, "1"))
