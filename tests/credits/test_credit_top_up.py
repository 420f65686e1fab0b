"""Paid purchases are credited once."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from billing.credits.errors import PaymentMismatch
from billing.credits.models import Grant, TopUp, Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.credits.services.credit_top_up import credit_top_up
from billing.credits.services.expire_top_up import expire_top_up
from tests.credits.make import make_paid, make_top_up, make_wallet, pay, platform_totals
from tests.make import AT
from tests.money_make import in_threads


@pytest.mark.django_db
def test_credits_and_fee_go_their_ways() -> None:
    """M4: the amount becomes a grant, the fee revenue; the customer's credits never see the fee."""
    wallet = make_wallet()
    top_up = make_paid(wallet, "20", "1")
    grant = Grant.objects.get()
    assert (grant.amount, grant.source, grant.expires_at) == (20, "purchase", None)
    assert wallet.figures == ("20", "0")
    assert (top_up.state, top_up.credited_at) == (TopUp.State.CREDITED, AT)
    assert platform_totals() == {"funding": -21, "revenue": 1}
    assert check_ledger(at=AT) == []


@pytest.mark.django_db
def test_no_fee_is_no_transfer() -> None:
    """M4: without a fee there is nothing to move."""
    make_paid(make_wallet(), "20", "0")
    assert [transfer.reason for transfer in Transfer.objects.all()] == ["purchase"]
    assert check_ledger(at=AT) == []


@pytest.mark.django_db
def test_payment_after_expiry_is_credited() -> None:
    """M4: money that came in is never kept without credits for it; afterwards nothing expires."""
    wallet = make_wallet()
    top_up = make_top_up(wallet)
    assert expire_top_up(top_up_id=top_up.id).state == TopUp.State.EXPIRED
    assert pay(top_up).state == TopUp.State.CREDITED
    assert expire_top_up(top_up_id=top_up.id).state == TopUp.State.CREDITED
    assert wallet.figures == ("20", "0")


@pytest.mark.django_db
@pytest.mark.parametrize("paid", ["20", "21.01", "0"])
def test_another_amount_moves_nothing(paid: str) -> None:
    """M4: what was paid is what was asked, or a person looks at it."""
    wallet = make_wallet()
    top_up = make_top_up(wallet)
    with pytest.raises(PaymentMismatch, match="21"):
        credit_top_up(top_up_id=top_up.id, paid=Decimal(paid), payment_reference="pi", at=AT)
    assert wallet.figures == ("0", "0")


@pytest.mark.django_db
def test_one_payment_pays_one_purchase() -> None:
    """M4: a second purchase that claims the same payment is refused by the database."""
    wallet = make_wallet()
    first, second = make_top_up(wallet), make_top_up(wallet)
    credit_top_up(top_up_id=first.id, paid=first.total, payment_reference="pi_same", at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        credit_top_up(top_up_id=second.id, paid=second.total, payment_reference="pi_same", at=AT)
    assert wallet.figures == ("20", "0")


@pytest.mark.usefixtures("own_database")
def test_topup_settled_twice_within_milliseconds() -> None:
    """Money: webhook, return page and reconciler at once, sixteen times, credit one payment once."""
    wallet = make_wallet()
    top_up = make_top_up(wallet)
    states = in_threads(
        lambda _: credit_top_up(top_up_id=top_up.id, paid=top_up.total, payment_reference="pi_1", at=AT).state, 16
    )
    assert set(states) == {TopUp.State.CREDITED}
    assert wallet.figures == ("20", "0")
    assert Grant.objects.count() == 1
    assert check_ledger(at=AT) == []


@pytest.mark.usefixtures("own_database")
def test_null_in_unique_index_lets_duplicate_fees_in() -> None:
    """Money: a fee's key is never NULL, and at once or one after the other it is charged once."""
    wallet = make_wallet()
    top_up = make_top_up(wallet)
    for _ in range(2):
        in_threads(lambda _: credit_top_up(top_up_id=top_up.id, paid=top_up.total, payment_reference="pi_1", at=AT), 8)
    fee = Transfer.objects.get(reason="fee")
    assert (fee.amount, fee.idempotency_key) == (1, f"topup:{top_up.id}:fee")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_attribute WHERE attrelid = 'billing_credits_transfer'::regclass"
            " AND attname = 'idempotency_key' AND attnotnull"
        )
        assert cursor.fetchone() == (1,)
