"""Refunds and disputes of credits, as Stripe tells of them."""

from decimal import Decimal

import pytest

from billing.credits.models import TopUp
from billing.credits.services.check_ledger import check_ledger
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.services.sync_charge import sync_charge
from billing.stripe_sync.services.sync_checkout import sync_checkout
from billing.stripe_sync.services.sync_payment import sync_payment
from sandbox.stripe.process import StripeSandbox
from tests.make import AT, make_customer
from tests.money_make import in_threads, money_of, spend
from tests.stripe_sync.paying import DISPUTED, VISA, open_purchase, press_pay, refund, session_of

shop = pytest.mark.usefixtures("catalogue")


class Bought:
    """A customer that paid 21.00 dollars for credits of 20.00, and the payment at Stripe."""

    def __init__(self, stripe: StripeSandbox, *, card: str = VISA) -> None:
        self.stripe, self.account = stripe, make_customer().account
        self.opened = open_purchase(self.account, stripe)
        self.charge = press_pay(stripe, self.opened, card=card)

    def look(self) -> tuple[str, str, str]:
        sync_charge(charge_id=self.charge.id, at=AT)
        assert check_ledger(at=AT) == []
        return money_of(self.account)

    def end_dispute(self, status: str) -> None:
        (dispute,) = stripe_client().v1.disputes.list({"charge": self.charge.id}).data
        self.stripe.call("POST", f"/_sandbox/disputes/{dispute.id}", {"status": status})


@shop
def test_refunds_take_back_their_part(stripe: StripeSandbox) -> None:
    """M4: each refund takes the credits' part of it; repeated news changes nothing."""
    bought = Bought(stripe)
    assert bought.look() == ("20", "0", "0")
    refund(bought.charge, 525)
    assert bought.look() == bought.look() == ("15", "0", "0")
    refund(bought.charge, 525)
    refund(bought.charge, 1050)
    assert bought.look() == ("0", "0", "0")
    assert TopUp.objects.get().taken_back == 20


@shop
def test_what_is_spent_is_owed(stripe: StripeSandbox) -> None:
    """M4: a refund of spent credits is owed, and credits stay at nothing."""
    bought = Bought(stripe)
    bought.look()
    spend(bought.account.credits, "12")
    refund(bought.charge, 2100)
    assert bought.look() == ("0", "0", "12")


@shop
def test_refund_that_is_heard_of_first(stripe: StripeSandbox) -> None:
    """M4, S4: the refund's event before the payment's ends as if they had come in order."""
    bought = Bought(stripe)
    made = refund(bought.charge, 1050)
    assert sync_payment(kind="refund", object_id=made.id, at=AT)
    sync_checkout(session_id=session_of(bought.opened), at=AT)
    assert money_of(bought.account) == ("10", "0", "0")
    assert check_ledger(at=AT) == []


@shop
def test_dispute_holds_the_credits(stripe: StripeSandbox) -> None:
    """M4: a dispute takes back what it disputes; lost, it stays so."""
    bought = Bought(stripe, card=DISPUTED)
    assert bought.look() == ("0", "0", "0")
    bought.end_dispute("lost")
    assert bought.look() == ("0", "0", "0")


@shop
def test_won_dispute_gives_the_credits_back(stripe: StripeSandbox) -> None:
    """M4: the payment stands, and so do the credits."""
    bought = Bought(stripe, card=DISPUTED)
    (dispute,) = stripe_client().v1.disputes.list({"charge": bought.charge.id}).data
    assert sync_payment(kind="dispute", object_id=dispute.id, at=AT)
    assert money_of(bought.account) == ("0", "0", "0")
    bought.end_dispute("won")
    assert bought.look() == ("20", "0", "0")
    assert TopUp.objects.get().taken_back == 0


@shop
def test_payment_intent_leads_to_the_charge(stripe: StripeSandbox) -> None:
    """S4: any event about a payment ends in a read of its charge."""
    bought = Bought(stripe)
    intent = str(bought.charge.payment_intent)
    assert sync_payment(kind="payment_intent", object_id=intent, at=AT)
    assert money_of(bought.account) == ("20", "0", "0")


@shop
def test_refund_after_the_customer_was_replaced(stripe: StripeSandbox) -> None:
    """M4: a purchase outlives its customer at Stripe, and so do its refunds."""
    bought = Bought(stripe)
    bought.look()
    stripe_client().v1.customers.delete(str(bought.charge.customer))
    open_purchase(bought.account, stripe)
    refund(bought.charge, 2100)
    assert bought.look() == ("0", "0", "0")


@shop
def test_payments_of_strangers(stripe: StripeSandbox) -> None:
    """S4: a payment of a customer that is not ours, or for nothing of ours, moves nothing."""
    client = stripe_client()
    customer = client.v1.customers.create({"name": "Stranger"})
    client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    intent = client.v1.payment_intents.create(
        {
            "amount": 2100,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": client.v1.customers.payment_methods.list(customer.id).data[0].id,
            "confirm": True,
            "off_session": True,
            "metadata": {"quaestor_top_up": "nonsense"},
        }
    )
    assert not sync_payment(kind="payment_intent", object_id=intent.id, at=AT)


@pytest.mark.usefixtures("own_database")
def test_credit_note_race_refunds_too_much(stripe: StripeSandbox) -> None:
    """Money: two refunds at once, each told of many times at once, take back no more than was bought."""
    bought = Bought(stripe)
    bought.look()
    made = in_threads(lambda _: refund(bought.charge, 1050), 2, threads=2)
    kinds = [("refund", one.id) for one in made] + [("payment_intent", str(bought.charge.payment_intent))]
    in_threads(lambda n: sync_payment(kind=kinds[n % 3][0], object_id=kinds[n % 3][1], at=AT), 9, threads=9)
    assert money_of(bought.account) == ("0", "0", "0")
    assert TopUp.objects.get().taken_back == Decimal(20)
    assert check_ledger(at=AT) == []
