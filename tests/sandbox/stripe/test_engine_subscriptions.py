"""Subscriptions begin and end as the API's own do (S2, P10)."""

import pytest
import stripe
from stripe import StripeClient

from tests.sandbox.stripe.stock import DAY, START, amounts, item_of, make_world


def test_the_first_period_is_paid_in_advance(client: StripeClient) -> None:
    world = make_world(client)
    subscription = world.subscribe(world.price(2000), metadata={"account": "a1"})
    invoice = subscription.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert (subscription.status, invoice.status, invoice.amount_paid) == ("active", "paid", 2000)
    assert item_of(subscription).current_period_end == START + 28 * DAY
    assert invoice.billing_reason == "subscription_create"
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert invoice.parent.subscription_details.metadata["account"] == "a1"
    assert invoice.lines.data[0].description == "1 × Team (at $20.00 / month)"


def test_events_of_a_start(client: StripeClient) -> None:
    world = make_world(client)
    price = world.price(2000)
    before = len(world.events())
    world.subscribe(price)
    assert world.events()[before:] == [
        "invoice.created",
        "customer.subscription.created",
        "payment_intent.created",
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
    ]


def test_what_costs_nothing_needs_no_card(client: StripeClient) -> None:
    world = make_world(client, card=None)
    subscription = world.subscribe(world.price(0))
    assert (subscription.status, subscription.latest_invoice.status) == ("active", "paid")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        world.subscribe(world.price(100))
    assert refusal.value.code == "resource_missing"
    assert len(world.invoices()) == 1


def test_a_declined_start_stays_incomplete_until_it_expires(client: StripeClient) -> None:
    world = make_world(client, "pm_card_chargeCustomerFail")
    subscription = world.subscribe(world.price(2000))
    assert (subscription.status, subscription.latest_invoice.status) == ("incomplete", "open")
    world.advance(days=1)
    expired = world.subscription(subscription.id)
    assert (expired.status, expired.latest_invoice.status) == ("incomplete_expired", "void")


def test_a_strict_start_leaves_nothing_behind(client: StripeClient) -> None:
    world = make_world(client, "pm_card_chargeCustomerFail")
    price = world.price(2000)
    before = world.events()
    with pytest.raises(stripe.CardError) as decline:
        world.subscribe(price, payment_behavior="error_if_incomplete")
    assert decline.value.code == "card_declined"
    assert world.invoices() == []
    assert client.v1.subscriptions.list({"status": "all"}).data == []
    assert world.events() == before


def test_a_start_by_hand_waits_for_its_intent(client: StripeClient) -> None:
    """payment_behavior=default_incomplete, then 3-D Secure, then another card (S2)."""
    world = make_world(client, "pm_card_authenticationRequired")
    subscription = world.subscribe(
        world.price(2000),
        payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
        expand=["latest_invoice.confirmation_secret", "latest_invoice.payments"],
    )
    invoice = subscription.latest_invoice
    intent = invoice.payments.data[0].payment.payment_intent
    assert subscription.status == "incomplete"
    assert invoice.confirmation_secret.client_secret.startswith(f"{intent}_secret_")
    card = client.v1.customers.retrieve(world.customer).invoice_settings.default_payment_method
    asked = client.v1.payment_intents.confirm(intent, {"payment_method": card})
    assert asked.status == "requires_action"
    assert asked.next_action.redirect_to_url.url.endswith(f"/3ds/{intent}")
    client.v1.payment_intents.confirm(intent, {"payment_method": world.card("pm_card_visa", default=False)})
    assert world.subscription(subscription.id).status == "active"


def test_a_trial_is_billed_when_it_ends(client: StripeClient) -> None:
    world = make_world(client)
    subscription = world.subscribe(world.price(2000), trial_period_days=14)
    assert (subscription.status, amounts(subscription.latest_invoice)) == ("trialing", [0])
    world.advance(days=14)
    begun = world.subscription(subscription.id)
    assert (begun.status, begun.latest_invoice.amount_paid) == ("active", 2000)
    assert item_of(begun).current_period_end == START + 42 * DAY  # 14 February to 14 March


def test_a_later_anchor_shortens_the_first_period(client: StripeClient) -> None:
    world = make_world(client)
    subscription = world.subscribe(world.price(3100), billing_cycle_anchor=START + 15 * DAY)
    assert amounts(subscription.latest_invoice) == [1500]
    assert item_of(subscription).current_period_end == START + 15 * DAY


def test_one_time_prices_ride_along(client: StripeClient) -> None:
    world = make_world(client)
    once = client.v1.prices.create({"product": world.product, "currency": "usd", "unit_amount": 500}).id
    subscription = world.subscribe(world.price(2000), add_invoice_items=[{"price": once, "quantity": 2}])
    assert amounts(subscription.latest_invoice) == [2000, 1000]
    assert client.v1.invoice_items.list({"pending": True}).data == []


def test_cancelling_at_the_period_s_end_can_be_taken_back(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000)).id
    planned = world.change(made, cancel_at_period_end=True, cancellation_details={"feedback": "unused"})
    assert (planned.cancel_at, planned.canceled_at) == (START + 28 * DAY, START)
    assert planned.cancellation_details.reason == "cancellation_requested"
    resumed = world.change(made, cancel_at_period_end=False)
    assert (resumed.cancel_at, resumed.canceled_at, resumed.cancellation_details.reason) == (None, None, None)
    world.change(made, cancel_at_period_end=True)
    world.advance(days=27)
    assert world.subscription(made).status == "active"
    world.advance(days=40)
    ended = world.subscription(made)
    assert (ended.status, ended.ended_at, len(world.invoices())) == ("canceled", START + 28 * DAY, 1)
    assert world.events(of="customer.subscription.")[-1] == "customer.subscription.deleted"


def test_cancelling_at_a_date(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000)).id
    world.change(made, cancel_at=START + 40 * DAY)
    world.advance(days=60)
    assert world.subscription(made).ended_at == START + 40 * DAY
    assert len(world.invoices()) == 2


def test_cancelling_at_once_can_give_credit(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2800)).id
    world.advance(days=7)
    ended = client.v1.subscriptions.cancel(made, {"prorate": True, "invoice_now": True})
    assert (ended.status, world.invoices()[0].total, world.balance()) == ("canceled", -2100, -2100)
    assert world.events(of="customer.subscription.")[-1] == "customer.subscription.deleted"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscriptions.cancel(made)
    with pytest.raises(stripe.InvalidRequestError):
        world.change(made, cancel_at_period_end=True)


def test_lists_and_search(client: StripeClient) -> None:
    world = make_world(client)
    price = world.price(2000)
    running, ended = (world.subscribe(price, metadata={"k": name}).id for name in "ab")
    client.v1.subscriptions.cancel(ended)
    listed = [client.v1.subscriptions.list(query).data for query in ({}, {"status": "all"}, {"price": price})]
    assert [[each.id for each in found] for found in listed] == [[running], [ended, running], [running]]
    assert [each.id for each in client.v1.subscriptions.search({"query": "metadata['k']:'b'"}).data] == [ended]
    item = client.v1.subscription_items.list({"subscription": running}).data[0]
    assert client.v1.subscription_items.retrieve(item.id).subscription == running


def test_what_cannot_be_subscribed_to(client: StripeClient) -> None:
    world = make_world(client)
    once = client.v1.prices.create({"product": world.product, "currency": "usd", "unit_amount": 500}).id
    euros = world.price(100, currency="eur")
    for items in ([], [{"price": once}], [{"price": world.price(1)}, {"price": euros}], [{"price": "price_none"}]):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.subscriptions.create({"customer": world.customer, "items": items})
    with pytest.raises(stripe.InvalidRequestError, match="pending_if_incomplete"):
        world.subscribe(world.price(100), payment_behavior="pending_if_incomplete")
