"""Credit notes: off what is to be paid, back from what was paid, and void again (I1)."""

from typing import Any

import pytest
import stripe
from stripe import StripeClient

from sandbox.stripe.process import StripeSandbox
from tests.sandbox.stripe.stock import World, make_world

VAT = {"percent": "19", "name": "VAT", "country": "DE"}


def credit(world: World, invoice: str, **more: Any) -> stripe.CreditNote:
    params: Any = {"invoice": invoice} | more
    return world.client.v1.credit_notes.create(params)


def paid(world: World) -> stripe.Invoice:
    world.subscribe(world.price(1000))
    return world.invoices()[0]


def open_invoice(world: World) -> str:
    made = world.client.v1.invoices.create({"customer": world.customer, "currency": "usd", "auto_advance": False})
    key = str(made.id)
    world.client.v1.invoice_items.create({"customer": world.customer, "invoice": key, "amount": 900, "currency": "usd"})
    world.client.v1.invoices.finalize_invoice(key)
    return key


def test_note_on_a_paid_invoice(client: StripeClient, stripe_server: StripeSandbox) -> None:
    """Tax by its part of the invoice; a refund, balance, and what is given back elsewhere."""
    stripe_server.call("POST", "/_sandbox/tax", VAT)
    world = make_world(client)
    invoice = paid(world)
    made = credit(
        world, str(invoice.id), amount=595, refund_amount=200, credit_amount=300, out_of_band_amount=95, memo="x"
    )
    assert (made.subtotal, made.total, [tax.amount for tax in made.total_taxes or []]) == (500, 595, [95])
    assert (made.type, made.post_payment_amount, made.pre_payment_amount) == ("post_payment", 595, 0)
    assert [one.amount_refunded for one in made.refunds] == [200]
    assert client.v1.customers.retrieve(world.customer).balance == -300
    (charge,) = client.v1.charges.list({"customer": world.customer}).data
    assert charge.amount_refunded == 200
    after = client.v1.invoices.retrieve(str(invoice.id))
    assert (after.post_payment_credit_notes_amount, after.amount_due, after.status) == (595, 1190, "paid")
    assert client.v1.credit_notes.retrieve(made.id).number == f"{invoice.number}-CN-01"
    assert [one.id for one in client.v1.credit_notes.list({"invoice": str(invoice.id)}).data] == [made.id]
    assert [one.amount for one in client.v1.credit_notes.line_items.list(made.id).data] == [500]
    assert "credit_note.created" in world.events(of="credit_note")


def test_note_on_an_open_invoice(client: StripeClient) -> None:
    """Less is charged; void again, it is all to be paid; and where nothing is left the invoice is paid."""
    world = make_world(client)
    invoice = open_invoice(world)
    first = credit(world, invoice, amount=400)
    found = client.v1.invoices.retrieve(invoice)
    assert (first.type, found.amount_due, found.amount_remaining, found.total) == ("pre_payment", 500, 500, 900)
    client.v1.credit_notes.void_credit_note(first.id)
    assert client.v1.invoices.retrieve(invoice).amount_remaining == 900
    assert world.events(of="credit_note") == ["credit_note.created", "credit_note.voided"]
    credit(world, invoice, amount=300)
    client.v1.invoices.pay(invoice)
    (charge,) = client.v1.charges.list({"customer": world.customer}).data
    assert charge.amount == 600
    other = open_invoice(world)
    credit(world, other, amount=900)
    assert client.v1.invoices.retrieve(other).status == "paid"


@pytest.mark.parametrize(
    "wanted",
    [
        {"amount": 1001, "refund_amount": 1001},
        {"amount": 500},
        {"amount": 500, "refund_amount": 400},
        {"amount": 0},
        {},
        {"lines": [{"type": "invoice_line_item", "invoice_line_item": "il_1"}]},
        {"amount": 100, "refunds": [{"refund": "re_1"}]},
    ],
    ids=["too much", "no way", "wrong sum", "nothing", "neither", "no such line", "refunds of before"],
)
def test_what_cannot_be_credited(client: StripeClient, wanted: dict[str, Any]) -> None:
    world = make_world(client)
    invoice = paid(world)
    with pytest.raises(stripe.InvalidRequestError):
        credit(world, str(invoice.id), **wanted)
    assert client.v1.credit_notes.list().data == []


def test_notes_of_what_was_given_back_stay(client: StripeClient) -> None:
    world = make_world(client)
    made = credit(world, str(paid(world).id), amount=100, refund_amount=100)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.credit_notes.void_credit_note(made.id)
