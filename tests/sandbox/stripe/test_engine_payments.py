"""Money in and out: intents, refunds, disputes, invoices by hand (M4, S4)."""

import pytest
import stripe
from stripe import StripeClient

from sandbox.stripe.process import StripeSandbox
from tests.sandbox.stripe.stock import World, make_world


def charge(world: World, amount: int = 5000, card: str = "pm_card_visa", **more: object) -> stripe.PaymentIntent:
    parameters = {"amount": amount, "currency": "usd", "customer": world.customer, "confirm": True}
    method = world.card(card, default=False)
    return world.client.v1.payment_intents.create(parameters | {"payment_method": method} | more)


def test_a_charge_fills_the_balance(client: StripeClient) -> None:
    world = make_world(client)
    intent = charge(world, metadata={"order": "7"}, expand=["latest_charge.balance_transaction"])
    made = intent.latest_charge
    assert (intent.status, intent.amount_received, made.metadata["order"]) == ("succeeded", 5000, "7")
    movement = made.balance_transaction
    assert (movement.amount, movement.fee, movement.net) == (5000, 175, 4825)
    assert [each.id for each in client.v1.balance_transactions.list({"source": made.id}).data] == [movement.id]
    assert client.v1.charges.list({"payment_intent": intent.id}).data[0].payment_method_details.card.last4 == "4242"


def test_a_decline_is_written_down(client: StripeClient) -> None:
    world = make_world(client)
    with pytest.raises(stripe.CardError) as decline:
        charge(world, card="pm_card_chargeCustomerFail")
    error = decline.value.error
    assert (error.code, error.decline_code) == ("card_declined", "generic_decline")
    intent = client.v1.payment_intents.retrieve(error.payment_intent.id)
    assert (intent.status, intent.last_payment_error.code) == ("requires_payment_method", "card_declined")
    failed = client.v1.charges.retrieve(str(intent.latest_charge))
    assert (failed.status, failed.failure_code, failed.amount_captured) == ("failed", "card_declined", 0)
    assert world.events()[-2:] == ["charge.failed", "payment_intent.payment_failed"]


def test_off_session_3d_secure_is_a_decline(client: StripeClient) -> None:
    world = make_world(client)
    with pytest.raises(stripe.CardError) as decline:
        charge(world, card="pm_card_authenticationRequired", off_session=True)
    assert decline.value.code == "authentication_required"


def test_an_intent_is_paid_or_canceled_once(client: StripeClient) -> None:
    world = make_world(client)
    paid = charge(world)
    open_one = client.v1.payment_intents.create({"amount": 100, "currency": "usd"})
    client.v1.payment_intents.cancel(open_one.id)
    for call in (client.v1.payment_intents.confirm, client.v1.payment_intents.cancel):
        for intent in (paid, open_one):
            with pytest.raises(stripe.InvalidRequestError) as refusal:
                call(intent.id)
            assert refusal.value.code == "payment_intent_unexpected_state"
    assert len(client.v1.charges.list().data) == 1


def test_another_customer_s_card_pays_nothing(client: StripeClient) -> None:
    world, other = make_world(client), make_world(client)
    with pytest.raises(stripe.InvalidRequestError, match="another customer"):
        charge(world, payment_method=other.card("pm_card_visa"))


def test_refunds_never_exceed_the_charge(client: StripeClient) -> None:
    """credit_note_race_refunds_too_much."""
    world = make_world(client)
    intent = charge(world)
    first = client.v1.refunds.create({"payment_intent": intent.id, "amount": 2000, "reason": "requested_by_customer"})
    with pytest.raises(stripe.InvalidRequestError, match="3001"):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 3001})
    rest = client.v1.refunds.create({"charge": str(intent.latest_charge)})
    assert (first.amount, rest.amount) == (2000, 3000)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refusal.value.code == "charge_already_refunded"
    refunded = client.v1.charges.retrieve(str(intent.latest_charge), {"expand": ["refunds"]})
    assert (refunded.refunded, refunded.amount_refunded, len(refunded.refunds.data)) == (True, 5000, 2)
    assert world.events()[-4:] == ["charge.refunded", "refund.created"] * 2
    moves = client.v1.balance_transactions.list({"type": "refund"}).data
    assert [move.net for move in moves] == [-3000, -2000]


@pytest.mark.parametrize("status", ["won", "lost"])
def test_a_dispute_takes_the_money_until_it_is_won(
    client: StripeClient, stripe_server: StripeSandbox, status: str
) -> None:
    world = make_world(client)
    intent = charge(world, card="pm_card_createDispute")
    dispute = client.v1.disputes.list({"payment_intent": intent.id}).data[0]
    assert (dispute.status, dispute.amount, dispute.reason) == ("needs_response", 5000, "fraudulent")
    assert world.events(of="charge.") == [
        "charge.succeeded",
        "charge.updated",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
    ]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refusal.value.code == "charge_disputed"
    stripe_server.call("POST", f"/_sandbox/disputes/{dispute.id}", {"status": status})
    closed = client.v1.disputes.retrieve(dispute.id)
    moved = sum(move.amount for move in closed.balance_transactions)
    assert (closed.status, moved) == (status, 0 if status == "won" else -5000)
    assert world.events()[-1] == "charge.dispute.closed"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.close(dispute.id)


def test_a_set_up_card_is_kept(client: StripeClient) -> None:
    world = make_world(client, card=None)
    parameters = {"customer": world.customer, "payment_method": "pm_card_authenticationRequiredOnSetup"}
    intent = client.v1.setup_intents.create({**parameters, "confirm": True})
    assert intent.status == "succeeded"
    kept = client.v1.payment_methods.retrieve(str(intent.payment_method))
    assert kept.customer == world.customer
    assert charge(world, payment_method=kept.id, off_session=True).status == "succeeded"


def test_an_invoice_by_hand(client: StripeClient) -> None:
    world = make_world(client)
    client.v1.invoice_items.create({"customer": world.customer, "amount": 700, "currency": "usd", "description": "x"})
    once = client.v1.prices.create({"product": world.product, "currency": "usd", "unit_amount": 150}).id
    client.v1.invoice_items.create({"customer": world.customer, "pricing": {"price": once}, "quantity": 2})
    gone = client.v1.invoice_items.create({"customer": world.customer, "amount": -100, "currency": "usd"})
    client.v1.invoice_items.delete(gone.id)
    draft = client.v1.invoices.create({"customer": world.customer, "pending_invoice_items_behavior": "include"})
    client.v1.invoice_items.create({"customer": world.customer, "amount": 5, "currency": "usd", "invoice": draft.id})
    open_one = client.v1.invoices.finalize_invoice(draft.id)
    assert (draft.status, open_one.status, open_one.amount_due) == ("draft", "open", 1005)
    assert open_one.number.endswith("-0001")
    paid = client.v1.invoices.pay(draft.id)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 1005, 0)
    assert client.v1.invoice_items.list({"pending": True}).data == []
    assert [line.amount for line in client.v1.invoices.line_items.list(draft.id).data] == [700, 300, 5]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.invoices.pay(draft.id)
    assert refusal.value.code == "invoice_already_paid"


def test_a_voided_invoice_gives_used_credit_back(client: StripeClient) -> None:
    world = make_world(client)
    client.v1.customers.update(world.customer, {"balance": -300})
    client.v1.invoice_items.create({"customer": world.customer, "amount": 1000, "currency": "usd"})
    draft = client.v1.invoices.create({"customer": world.customer, "pending_invoice_items_behavior": "include"})
    assert client.v1.invoices.finalize_invoice(draft.id).amount_due == 700
    assert world.balance() == 0
    assert client.v1.invoices.void_invoice(draft.id).status == "void"
    assert world.balance() == -300
    payment = client.v1.invoice_payments.list({"invoice": draft.id}).data[0]
    intent = client.v1.payment_intents.retrieve(str(payment.payment.payment_intent))
    assert (payment.status, intent.status) == ("canceled", "canceled")


def test_an_invoice_written_off_can_still_be_paid(client: StripeClient) -> None:
    world = make_world(client)
    draft = client.v1.invoices.create({"customer": world.customer})
    client.v1.invoice_items.create({"customer": world.customer, "amount": 300, "currency": "usd", "invoice": draft.id})
    client.v1.invoices.finalize_invoice(draft.id)
    assert client.v1.invoices.mark_uncollectible(draft.id).status == "uncollectible"
    paid = client.v1.invoices.pay(draft.id, {"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid_off_stripe) == ("paid", 300)
    assert client.v1.charges.list().data == []


def test_a_deleted_draft_lets_its_items_wait_again(client: StripeClient) -> None:
    world = make_world(client)
    client.v1.invoice_items.create({"customer": world.customer, "amount": 700, "currency": "usd"})
    draft = client.v1.invoices.create({"customer": world.customer, "pending_invoice_items_behavior": "include"})
    client.v1.invoices.delete(draft.id)
    assert [item.amount for item in client.v1.invoice_items.list({"pending": True}).data] == [700]


def test_a_draft_that_advances_by_itself(client: StripeClient) -> None:
    world = make_world(client)
    draft = client.v1.invoices.create({"customer": world.customer, "auto_advance": True})
    client.v1.invoice_items.create({"customer": world.customer, "amount": 300, "currency": "usd", "invoice": draft.id})
    assert draft.automatically_finalizes_at == draft.created + 3600
    world.advance(days=1)
    paid = client.v1.invoices.retrieve(draft.id)
    assert (paid.status, paid.status_transitions.paid_at) == ("paid", draft.created + 3600)
