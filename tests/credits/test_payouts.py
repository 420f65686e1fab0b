"""Sales, what is owed for them, and payouts."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from billing.credits.errors import InsufficientCredits, PayoutRefused, TransferConflict
from billing.credits.models import Payout, Sale
from billing.credits.services.check_ledger import check_ledger
from billing.credits.services.finish_payout import fail_payout, finish_payout
from billing.credits.services.open_creator import open_creator
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.credits.make import make_creator, make_wallet, open_payment, owed_to, platform_totals, sell
from tests.make import AT
from tests.money_make import make_grant

pytestmark = pytest.mark.django_db
State = Payout.State


def finish(payout: Payout, returned: str = "0") -> Payout:
    return finish_payout(payout_id=payout.id, external_id=f"tr_{payout.id.hex}", returned=Decimal(returned), at=AT)


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def test_sale_is_split() -> None:
    """M10: the buyer's credits go to the creator and the platform, 80/20; the same key sells once."""
    creator, wallet = make_creator(), make_wallet("10")
    sales = [sell(creator, wallet, "9.99", key="one") for _ in range(2)]
    assert sales[0].id == sales[1].id
    assert owed_to(creator) == "7.99"
    assert wallet.figures == ("0.01", "0")
    assert platform_totals()["revenue"] == 2
    assert actions() == ["creator.opened", "sale.recorded"]
    assert check_ledger(at=AT) == []


def test_sale_of_a_cent_has_one_side() -> None:
    """M10: shares are rounded once; where nothing is left for the platform, nothing moves there."""
    creator, wallet = make_creator(), make_wallet("10")
    assert sell(creator, wallet, "0.01").creator_share == Decimal("0.01")
    assert check_ledger(at=AT) == []


@pytest.mark.parametrize("amount", ["0", "-1", "0.001"])
def test_price_is_payable(amount: str) -> None:
    """M10: a price is above zero and can be paid out."""
    with pytest.raises(ValueError, match="above zero"):
        sell(make_creator(), make_wallet("10"), amount)


def test_other_currency_is_refused() -> None:
    """M10: one currency from buyer to creator."""
    creator, wallet = make_creator(), make_wallet("10")
    creator.payable.currency = "EUR"
    creator.payable.save(update_fields=["currency"])
    with pytest.raises(ValueError, match="paid in EUR"):
        sell(creator, wallet)


def test_nobody_buys_on_credit() -> None:
    """M10: without the whole price nothing moves, and expired credits pay for nothing."""
    creator, wallet = make_creator(), make_wallet("9.99")
    make_grant(wallet.credits, "5", expires_at=AT + timedelta(days=1))
    with pytest.raises(InsufficientCredits), transaction.atomic():
        sell(creator, wallet, at=AT + timedelta(days=1))
    assert not Sale.objects.exists()
    assert owed_to(creator) == "0"


def test_key_of_another_sale() -> None:
    """M10: a key stands for one sale."""
    creator, wallet = make_creator(), make_wallet("50")
    sell(creator, wallet, "10", key="one")
    with pytest.raises(TransferConflict, match="another sale"):
        sell(creator, wallet, "11", key="one")


def test_tenant_is_one_creator() -> None:
    """M10: opening a creator again gives the first."""
    creator = make_creator()
    again = open_creator(tenant_id=creator.tenant_id, currency="EUR", at=AT, actor=SYSTEM)
    assert (again.id, again.payable.currency) == (creator.id, "USD")


def test_payout_leaves_the_ledger_first() -> None:
    """M10: what is owed is taken at once, and one payout at a time is on its way."""
    creator, wallet = make_creator(), make_wallet("20")
    sell(creator, wallet, "10")
    payout = open_payment(creator)
    assert (payout.amount, payout.state, owed_to(creator)) == (8, State.PENDING, "0")
    sell(creator, wallet, "10")
    with pytest.raises(PayoutRefused, match="on its way"):
        open_payment(creator)
    assert finish(payout).state == State.PAID
    assert finish(payout).state == State.PAID
    assert open_payment(creator).amount == 8
    assert actions()[2:] == ["payout.opened", "sale.recorded", "payout.paid", "payout.opened"]
    assert check_ledger(at=AT) == []


def test_payout_needs_something_owed_and_a_ready_account() -> None:
    """M10: nothing is sent into the blue."""
    with pytest.raises(PayoutRefused, match="Nothing is owed"):
        open_payment(make_creator())
    creator = make_creator(is_ready=False)
    sell(creator, make_wallet("10"))
    with pytest.raises(PayoutRefused, match="not ready"):
        open_payment(creator)


def test_failed_payout_is_owed_again() -> None:
    """M10: a refusal puts the money back once, and a late failure of a paid one is no news."""
    creator = make_creator()
    sell(creator, make_wallet("10"))
    payout = open_payment(creator)
    for _ in range(2):
        assert fail_payout(payout_id=payout.id, error="No balance", at=AT).state == State.FAILED
    assert owed_to(creator) == "8"
    with pytest.raises(ValueError, match="has failed"):
        finish(payout)
    second = open_payment(creator)
    finish(second)
    assert fail_payout(payout_id=second.id, error="Late", at=AT).state == State.PAID
    assert owed_to(creator) == "0"
    assert check_ledger(at=AT) == []


def test_reversed_transfer_is_owed_again() -> None:
    """M10: in parts or as a whole, in any order, once."""
    creator = make_creator()
    sell(creator, make_wallet("10"))
    payout = open_payment(creator)
    assert finish(payout, "3").state == State.PAID
    assert owed_to(creator) == "3"
    assert finish(payout, "8").state == State.REVERSED
    assert finish(payout, "3").state == State.REVERSED
    assert owed_to(creator) == "8"
    assert actions()[-3:] == ["payout.opened", "payout.returned", "payout.returned"]
    assert check_ledger(at=AT) == []


def test_database_allows_one_payout_on_its_way() -> None:
    """M10: whatever a program does, two cannot be pending."""
    creator = make_creator()
    sell(creator, make_wallet("10"))
    payout = open_payment(creator)
    sell(creator, make_wallet("10"))
    payout.state = State.PAID
    payout.save()
    open_payment(creator)
    payout.state = State.PENDING
    with pytest.raises(IntegrityError, match="one_on_its_way"), transaction.atomic():
        payout.save()
