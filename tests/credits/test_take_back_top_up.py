"""Refunds and disputes: whatever the order, what stands is what the payment's last state says."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.credits.models import Grant, TopUp, Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.pricing.fees import refunded_part
from tests.credits.make import make_paid, make_top_up, make_wallet, platform_totals, take_back
from tests.make import AT
from tests.money_make import hold, left_of, make_grant, spend

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("refunded", "taken_back"), [("21", "20"), ("10.50", "10"), ("0.01", "0.01"), ("1", "0.95"), ("99", "20")]
)
def test_the_credits_part_is_taken_back(refunded: str, taken_back: str) -> None:
    """M4: in proportion to the whole payment, half-up to the cent; the fee's part goes back to where it came from."""
    wallet = make_wallet()
    top_up = make_paid(wallet, "20", "1")
    assert take_back(wallet, top_up, refunded).taken_back == Decimal(taken_back)
    assert wallet.figures == (f"{(20 - Decimal(taken_back)).normalize():f}", "0")
    kept = 21 - min(Decimal(refunded), Decimal(21))
    assert platform_totals()["funding"] == -kept
    assert check_ledger(at=AT) == []


def test_what_is_spent_becomes_owed() -> None:
    """M4: free credits go, held ones stay with their run, and the rest is owed."""
    wallet = make_wallet()
    top_up = make_paid(wallet, "20", "1")
    spend(wallet.credits, "8")
    hold(wallet.credits, "5")
    take_back(wallet, top_up, "21")
    assert wallet.figures == ("0", "13")
    assert check_ledger(at=AT) == []


def test_other_lots_are_spared_first() -> None:
    """M4, M6: the lot that was bought is taken, not a promotion that would be spent earlier."""
    wallet = make_wallet()
    promotion = make_grant(wallet.credits, "5", priority=1, expires_at=AT + DAY)
    top_up = make_paid(wallet, "20", "1")
    take_back(wallet, top_up, "21")
    bought = Grant.objects.get(source="purchase")
    assert left_of(promotion, bought) == ["5", "0"]
    assert wallet.figures == ("5", "0")
    assert check_ledger(at=AT) == []


def test_expired_credits_pay_for_nothing() -> None:
    """M4, M6: what has expired is swept before anything is taken."""
    wallet = make_wallet()
    make_grant(wallet.credits, "5", expires_at=AT + DAY)
    top_up = make_paid(wallet, "20", "1")
    spend(wallet.credits, "10")
    take_back(wallet, top_up, "21", at=AT + DAY)
    assert wallet.figures == ("0", "5")  # 5 of the promotion and 5 of the purchase were spent
    assert check_ledger(at=AT + DAY) == []


def test_a_won_dispute_gives_back() -> None:
    """M4: what is owed for it goes first, then the credits come back."""
    wallet = make_wallet()
    top_up = make_paid(wallet, "20", "1")
    spend(wallet.credits, "8")
    take_back(wallet, top_up, "21")
    assert wallet.figures == ("0", "8")
    take_back(wallet, top_up, "0")
    assert wallet.figures == ("12", "0")
    assert platform_totals() == {"funding": -21, "revenue": 9}
    assert {t.reason for t in Transfer.objects.filter(credit_account=wallet.credits)} == {"purchase", "refund"}
    assert check_ledger(at=AT) == []


def test_only_what_this_purchase_owes_is_forgiven() -> None:
    """M4: usage that is owed stays owed when a dispute is won."""
    wallet = make_wallet()
    lost, won = make_paid(wallet, "5", "0"), make_paid(wallet, "20", "1")
    spend(wallet.credits, "25")
    for top_up in (lost, won):
        take_back(wallet, top_up, top_up.total)
    take_back(wallet, won, "0")
    assert wallet.figures == ("0", "5")


def test_unpaid_purchase_has_nothing_to_take() -> None:
    """M4: whoever knows of the refund credits the payment first."""
    wallet = make_wallet()
    with pytest.raises(ValueError, match="not credited"):
        take_back(wallet, make_top_up(wallet), "1")


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 2100), max_size=8), st.integers(0, 2100), st.integers(0, 20))
def test_only_the_last_state_counts(history: list[int], last: int, spent: int) -> None:
    """M4: any sequence of refunds, disputes and repeats ends where the last state alone would have led."""
    outcomes = []
    for states in ([*history, last, last], [last]):
        with transaction.atomic():
            wallet = make_wallet()
            top_up = make_paid(wallet, "20", "1")
            if spent:
                spend(wallet.credits, str(spent))
            for state in states:
                take_back(wallet, top_up, Decimal(state).scaleb(-2))
            outcomes.append((*wallet.figures, platform_totals(), TopUp.objects.get(id=top_up.id).taken_back))
            assert check_ledger(at=AT) == []
            transaction.set_rollback(True)
    assert outcomes[0] == outcomes[1]
    expected = refunded_part(Decimal(20), refunded=Decimal(last).scaleb(-2), total=Decimal(21), currency="USD")
    assert outcomes[0][-1] == expected
