"""What time brings: renewals, dunning, metered usage (S7, S8)."""

import pytest
import stripe
from stripe import StripeClient

from sandbox.stripe.process import StripeSandbox
from tests.sandbox.stripe.stock import DAY, START, amounts, item_of, make_world


def test_periods_follow_the_anchor_s_day(client: StripeClient) -> None:
    """signup_on_the_31st: February ends the period on its last day, March on the 31st again."""
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    world.advance(days=100)
    ends = [invoice.period_end for invoice in world.invoices()]
    assert ends == [START + days * DAY for days in (89, 59, 28, 0)]
    assert item_of(world.subscription(made.id)).current_period_end == START + 120 * DAY


def test_events_of_a_renewal(client: StripeClient) -> None:
    world = make_world(client)
    world.subscribe(world.price(2000))
    before = len(world.events())
    world.advance(days=28)
    assert world.events()[before:] == [
        "test_helpers.test_clock.advancing",
        "invoice.created",
        "customer.subscription.updated",
        "payment_intent.created",
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "test_helpers.test_clock.ready",
    ]
    renewal = client.v1.events.list({"type": "invoice.paid"}).data[0]
    assert (renewal.created, renewal.data.object["billing_reason"]) == (START + 28 * DAY, "subscription_cycle")


def test_dunning_asks_three_times_more_and_then_ends_it(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    world.card("pm_card_chargeCustomerFail")
    seen = []
    for days in (28, 30, 31, 36, 43):
        world.advance(days=days)
        found = world.subscription(made.id)
        following = found.latest_invoice.next_payment_attempt
        seen.append((found.status, found.latest_invoice.attempt_count, following and (following - START) // DAY))
    assert seen == [
        ("past_due", 1, 31),
        ("past_due", 1, 31),
        ("past_due", 2, 36),
        ("past_due", 3, 43),
        ("canceled", 4, None),
    ]
    ended = world.subscription(made.id)
    assert (ended.cancellation_details.reason, ended.latest_invoice.status) == ("payment_failed", "open")
    assert len(world.events(of="invoice.payment_failed")) == 4
    world.advance(days=100)
    assert len(world.invoices()) == 2


def test_paying_in_between_ends_the_dunning(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    world.card("pm_card_chargeCustomerFail")
    world.advance(days=29)
    invoice = world.subscription(made.id).latest_invoice.id
    with pytest.raises(stripe.CardError):
        client.v1.invoices.pay(invoice)
    by_hand = client.v1.invoices.retrieve(invoice)
    assert (by_hand.attempt_count, by_hand.next_payment_attempt) == (2, START + 31 * DAY)
    paid = client.v1.invoices.pay(invoice, {"payment_method": world.card("pm_card_visa")})
    assert (paid.status, world.subscription(made.id).status) == ("paid", "active")
    world.advance(days=59)
    assert [each.status for each in world.invoices()] == ["paid", "paid", "paid"]


def test_the_default_card_at_the_next_attempt_pays(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    world.card("pm_card_chargeCustomerFail")
    world.advance(days=28)
    world.card("pm_card_mastercard")
    world.advance(days=31)
    assert world.subscription(made.id).status == "active"


def test_a_renewal_that_wants_3d_secure_waits(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    world.card("pm_card_authenticationRequired")
    world.advance(days=28)
    found = world.subscription(made.id)
    assert (found.status, found.latest_invoice.status) == ("past_due", "open")
    assert world.events(of="invoice.payment_action_required") == ["invoice.payment_action_required"]
    payments = client.v1.invoice_payments.list({"invoice": found.latest_invoice.id}).data
    intent = client.v1.payment_intents.retrieve(payments[0].payment.payment_intent)
    assert (payments[0].status, intent.status) == ("open", "requires_action")


def test_a_renewal_without_any_card_fails(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    card = client.v1.customers.retrieve(world.customer).invoice_settings.default_payment_method
    client.v1.payment_methods.detach(str(card))
    world.advance(days=28)
    assert world.subscription(made.id).status == "past_due"


def test_the_sandbox_s_own_clock_renews_too(client: StripeClient, stripe_server: StripeSandbox) -> None:
    customer = client.v1.customers.create({}).id
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    product = client.v1.products.create({"name": "Team"}).id
    price = client.v1.prices.create(
        {"product": product, "currency": "usd", "unit_amount": 500, "recurring": {"interval": "day"}}
    ).id
    made = client.v1.subscriptions.create(
        {"customer": customer, "items": [{"price": price}], "default_payment_method": card}
    )
    stripe_server.call("POST", "/_sandbox/clock", {"advance_seconds": 3 * DAY})
    invoices = client.v1.invoices.list({"subscription": made.id}).data
    assert [invoice.created - made.created for invoice in invoices] == [3 * DAY, 2 * DAY, DAY, 0]


def test_usage_is_billed_when_the_period_closes(client: StripeClient) -> None:
    """Values may be fractions or negative; the sum is priced and rounded once (S7)."""
    world = make_world(client)
    metered = world.metered_price()
    made = world.subscribe(world.price(2000), metered)
    for value in ("10.5", "101", "-0.5"):
        world.use(value)
    world.advance(days=28)
    invoice = world.invoices()[0]
    assert amounts(invoice) == [56, 2000]
    line = invoice.lines.data[0]
    assert (line.quantity, line.period.to_dict()) == (111, {"start": START, "end": START + 28 * DAY})
    world.use("7")
    world.use("2", timestamp=START + 27 * DAY)
    client.v1.subscriptions.cancel(made.id, {"invoice_now": True})
    assert amounts(world.invoices()[0]) == [4]


def test_usage_below_zero_costs_nothing(client: StripeClient) -> None:
    world = make_world(client)
    world.subscribe(world.metered_price())
    world.use("-5")
    world.advance(days=28)
    assert amounts(world.invoices()[0]) == [0]


def test_included_usage_is_a_free_tier(client: StripeClient) -> None:
    world = make_world(client)
    tiers = [{"up_to": 100, "unit_amount": 0}, {"up_to": "inf", "unit_amount_decimal": "1.5"}]
    world.subscribe(world.metered_price(billing_scheme="tiered", tiers_mode="graduated", tiers=tiers))
    world.use("103")
    world.advance(days=28)
    assert amounts(world.invoices()[0]) == [5]


def test_an_identifier_counts_once_a_day(client: StripeClient) -> None:
    world = make_world(client)
    price = world.metered_price()
    world.use("5", identifier="run-1")
    with pytest.raises(stripe.InvalidRequestError, match="run-1"):
        world.use("5", identifier="run-1")
    meter = client.v1.prices.retrieve(price).recurring.meter
    window = {"customer": world.customer, "start_time": START - DAY, "end_time": START + DAY}
    assert client.v1.billing.meters.event_summaries.list(meter, window).data[0].aggregated_value == 5
    daily = client.v1.billing.meters.event_summaries.list(meter, window | {"value_grouping_window": "day"}).data
    assert [(each.start_time, each.aggregated_value) for each in daily] == [(START, 5)]


def test_usage_that_is_refused(client: StripeClient) -> None:
    world = make_world(client)
    world.metered_price()
    for more in ({"timestamp": START - 36 * DAY}, {"timestamp": START + 301}, {"event_name": "other"}):
        with pytest.raises(stripe.InvalidRequestError):
            world.use("1", **more)
    for payload in ({"value": "1"}, {"stripe_customer_id": "cus_none", "value": "1"}):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.billing.meter_events.create({"event_name": "calls", "payload": payload})
    for value in ("many", "NaN", "Infinity"):
        with pytest.raises(stripe.InvalidRequestError, match="not a number"):
            world.use(value)


def test_a_yearly_plan_with_monthly_usage(client: StripeClient) -> None:
    """Items have periods of their own: usage is billed each month, the plan once a year."""
    world = make_world(client)
    world.subscribe(world.price(20_000, "year"), world.metered_price())
    world.use("20")
    world.advance(days=60)
    assert [amounts(invoice) for invoice in world.invoices()] == [[0], [10], [20_000]]


def test_clocks_only_move_forward_and_take_their_customers_along(client: StripeClient) -> None:
    world = make_world(client)
    world.subscribe(world.price(2000))
    with pytest.raises(stripe.InvalidRequestError):
        world.advance(days=-1)
    client.v1.test_helpers.test_clocks.delete(world.clock)
    assert client.v1.test_helpers.test_clocks.list().data == []
    assert client.v1.customers.list().data == []
