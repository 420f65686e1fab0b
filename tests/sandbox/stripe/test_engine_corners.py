"""Rarer ways of subscribing: by invoice, paused, on trial, authenticated earlier (P10, S8)."""

import pytest
import stripe
from stripe import StripeClient

from tests.sandbox.stripe.stock import DAY, START, amounts, item_of, make_world


def test_an_invoice_that_is_sent_is_not_charged(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000), collection_method="send_invoice", days_until_due=30)
    assert (made.status, made.latest_invoice.status) == ("active", "open")
    assert client.v1.charges.list().data == []


@pytest.mark.parametrize(
    ("behavior", "status"), [("keep_as_draft", "draft"), ("void", "void"), ("mark_uncollectible", "uncollectible")]
)
def test_a_paused_collection(client: StripeClient, behavior: str, status: str) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    world.change(made.id, pause_collection={"behavior": behavior})
    world.advance(days=28)
    assert [invoice.status for invoice in world.invoices()] == [status, "paid"]
    world.change(made.id, pause_collection="")
    world.advance(days=59)
    assert world.invoices()[0].status == "paid"


def test_a_trial_can_end_now(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000), trial_period_days=14)
    world.advance(days=3)
    begun = world.change(made.id, trial_end="now")
    assert (begun.status, amounts(begun.latest_invoice)) == ("active", [2000])
    assert begun.billing_cycle_anchor == START + 3 * DAY


def test_a_plan_can_change_within_a_trial_for_nothing(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000), trial_period_days=14)
    item = {"id": item_of(made).id, "price": world.price(50_000, "year")}
    changed = world.change(made.id, items=[item], proration_behavior="always_invoice")
    assert (changed.status, amounts(changed.latest_invoice)) == ("trialing", [])
    world.advance(days=14)
    assert amounts(world.subscription(made.id).latest_invoice) == [50_000]


def test_an_authenticated_card_renews_alone(client: StripeClient) -> None:
    world = make_world(client, card=None)
    card = world.card("pm_card_authenticationRequiredOnSetup")
    client.v1.setup_intents.create({"customer": world.customer, "payment_method": card, "confirm": True})
    made = world.subscribe(world.price(2000))
    world.advance(days=28)
    assert (world.subscription(made.id).status, len(world.invoices())) == ("active", 2)


def test_a_foreign_card_is_no_default(client: StripeClient) -> None:
    world, other = make_world(client), make_world(client)
    price, foreign = world.price(2000), other.card("pm_card_visa")
    with pytest.raises(stripe.InvalidRequestError, match="attached"):
        world.subscribe(price, default_payment_method=foreign)
    made = world.subscribe(price)
    with pytest.raises(stripe.InvalidRequestError, match="attached"):
        world.change(made.id, default_payment_method=foreign)


def test_arrears_show_on_the_customer(client: StripeClient) -> None:
    world = make_world(client)
    world.subscribe(world.price(2000))
    world.card("pm_card_chargeCustomerFail")
    world.advance(days=28)
    assert client.v1.customers.retrieve(world.customer).delinquent is True
    world.card("pm_card_visa")
    world.advance(days=31)
    assert client.v1.customers.retrieve(world.customer).delinquent is False


def test_a_change_by_hand_waits_for_its_payment(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    items = [{"id": item_of(made).id, "quantity": 2}]
    changed = world.change(
        made.id, items=items, proration_behavior="always_invoice", payment_behavior="default_incomplete"
    )
    assert (changed.status, changed.latest_invoice.status) == ("past_due", "open")
    client.v1.invoices.pay(changed.latest_invoice.id)
    assert world.subscription(made.id).status == "active"


def test_items_can_be_changed_by_themselves(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    added = client.v1.subscription_items.create({"subscription": made.id, "price": world.price(900), "quantity": 2})
    changed = client.v1.subscription_items.update(added.id, {"quantity": 3, "proration_behavior": "none"})
    assert (changed.id, changed.quantity) == (added.id, 3)
    assert client.v1.subscription_items.delete(added.id).deleted
    assert [item.id for item in world.subscription(made.id)["items"].data] == [item_of(made).id]
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscription_items.retrieve(added.id)


def test_metered_usage_is_billed_when_its_item_goes(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000), world.metered_price())
    world.use("40")
    gone = {"id": made["items"].data[1].id, "deleted": True}
    assert amounts(world.change(made.id, items=[gone]).latest_invoice) == [20]


def test_usage_is_billed_when_the_cycle_begins_anew(client: StripeClient) -> None:
    """Usage of the very second of the change belongs to the new cycle, and only to it."""
    world = make_world(client)
    made = world.subscribe(world.price(2000), world.metered_price())
    world.use("40")
    world.advance(days=14)
    world.use("6")
    yearly = {"id": item_of(made).id, "price": world.price(20_000, "year")}
    assert amounts(world.change(made.id, items=[yearly]).latest_invoice) == [-1000, 20, 20_000]
    world.advance(days=42)
    assert amounts(world.invoices()[0]) == [3]
