"""Changes within a period: previews, prorations, credit (P10, K11)."""

from typing import Any

import pytest
import stripe
from stripe import StripeClient

from tests.sandbox.stripe.stock import DAY, START, World, amounts, item_of, make_world

HALF = 14  # days: half of the first period, 31 January to 28 February


def preview(world: World, subscription: str, **details: Any) -> stripe.Invoice:
    return world.client.v1.invoices.create_preview({"subscription": subscription, "subscription_details": details})


@pytest.mark.parametrize("behavior", ["always_invoice", "create_prorations", "none"])
@pytest.mark.parametrize("interval", ["month", "year"])
def test_a_preview_shows_what_the_update_then_does(client: StripeClient, behavior: str, interval: str) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(1999))
    world.advance(days=9)
    at = START + 9 * DAY if interval == "year" else START + 10 * DAY - 1
    item = {"id": item_of(made).id, "price": world.price(4999, interval), "quantity": 3}
    change: Any = {"items": [item], "proration_behavior": behavior, "proration_date": at}
    before = world.events()
    shown = preview(world, made.id, **change)
    assert world.events() == before
    assert len(world.invoices()) == 1
    world.change(made.id, **change)
    if len(world.invoices()) == 1:
        world.advance(days=28)
    done = world.invoices()[0]
    assert (shown.total, shown.amount_due, amounts(shown)) == (done.total, done.amount_due, amounts(done))
    assert [line.description for line in shown.lines.data] == [line.description for line in done.lines.data]


def test_an_upgrade_is_paid_at_once_on_request(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    world.advance(days=HALF)
    items = [{"id": item_of(made).id, "price": world.price(5000)}]
    upgraded = world.change(made.id, items=items, proration_behavior="always_invoice")
    invoice = upgraded.latest_invoice
    assert (amounts(invoice), invoice.status, invoice.billing_reason) == ([-1000, 2500], "paid", "subscription_update")
    details = invoice.lines.data[0].parent.subscription_item_details
    assert (details.proration, details.subscription_item) == (True, item_of(made).id)
    assert details.proration_details.credited_items.invoice == made.latest_invoice.id
    assert invoice.lines.data[0].period.to_dict() == {"start": START + HALF * DAY, "end": START + 28 * DAY}
    assert upgraded.billing_cycle_anchor == START


def test_prorations_wait_for_the_next_invoice(client: StripeClient) -> None:
    """A downgrade's credit exceeds the next invoice: the rest stays the customer's and pays later ones."""
    world = make_world(client)
    made = world.subscribe(world.price(9000))
    world.advance(days=HALF)
    changed = world.change(made.id, items=[{"id": item_of(made).id, "price": world.price(1000)}])
    assert changed.latest_invoice.id == made.latest_invoice.id
    assert [item.amount for item in client.v1.invoice_items.list({"pending": True}).data] == [500, -4500]
    world.advance(days=28)
    credited = world.invoices()[0]
    assert (credited.total, credited.amount_due, credited.ending_balance) == (-3000, 0, -3000)
    assert (credited.status, world.balance()) == ("paid", -3000)
    world.advance(days=59)
    later = world.invoices()[0]
    assert (later.total, later.amount_due, later.starting_balance, later.ending_balance) == (1000, 0, -3000, -2000)
    moves = client.v1.customers.balance_transactions.list(world.customer).data
    assert [(move.amount, move.type) for move in moves] == [(1000, "applied_to_invoice"), (-3000, "invoice_too_small")]


def test_quantities_are_prorated(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(700))
    world.advance(days=HALF)
    items = [{"id": item_of(made).id, "quantity": 4}]
    invoice = world.change(made.id, items=items, proration_behavior="always_invoice").latest_invoice
    assert [(line.amount, line.quantity) for line in invoice.lines.data] == [(-350, 1), (1400, 4)]
    assert invoice.lines.data[1].description == "Remaining time on 4 × Team (at $7.00 / month)"


def test_without_proration_only_the_future_changes(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    world.advance(days=HALF)
    world.change(made.id, items=[{"id": item_of(made).id, "price": world.price(5000)}], proration_behavior="none")
    world.advance(days=28)
    assert [amounts(invoice) for invoice in world.invoices()] == [[5000], [2000]]


def test_another_interval_begins_a_new_cycle_at_once(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    world.advance(days=HALF)
    items = [{"id": item_of(made).id, "price": world.price(20_000, "year")}]
    yearly = world.change(made.id, items=items)
    now = START + HALF * DAY
    assert (amounts(yearly.latest_invoice), yearly.latest_invoice.status) == ([-1000, 20_000], "paid")
    assert (yearly.billing_cycle_anchor, item_of(yearly).current_period_start) == (now, now)
    assert item_of(yearly).current_period_end == now + 365 * DAY


def test_from_free_to_paid_begins_a_new_cycle(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(0))
    world.advance(days=HALF)
    paid = world.change(made.id, items=[{"id": item_of(made).id, "price": world.price(2000)}])
    assert (amounts(paid.latest_invoice), paid.billing_cycle_anchor) == ([2000], START + HALF * DAY)


def test_a_strict_change_that_is_declined_changes_nothing(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    world.advance(days=HALF)
    world.card("pm_card_chargeCustomerFail")
    items = [{"id": item_of(made).id, "price": world.price(5000)}]
    before = world.events()
    with pytest.raises(stripe.CardError):
        world.change(made.id, items=items, proration_behavior="always_invoice", payment_behavior="error_if_incomplete")
    same = world.subscription(made.id)
    assert (item_of(same).price.unit_amount, same.status, len(world.invoices())) == (2000, "active", 1)
    assert client.v1.invoice_items.list({"pending": True}).data == []
    assert world.events() == before


def test_a_lenient_change_that_is_declined_is_in_arrears(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    world.advance(days=HALF)
    world.card("pm_card_chargeCustomerFail")
    items = [{"id": item_of(made).id, "price": world.price(5000)}]
    changed = world.change(made.id, items=items, proration_behavior="always_invoice")
    assert (item_of(changed).price.unit_amount, changed.status) == (5000, "past_due")
    assert changed.latest_invoice.next_payment_attempt == START + (HALF + 3) * DAY


def test_items_come_and_go(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    world.advance(days=HALF)
    items = [{"price": world.price(800), "quantity": 2}]
    both = world.change(made.id, items=items, proration_behavior="always_invoice")
    assert amounts(both.latest_invoice) == [800]
    added = both["items"].data[1]
    gone = world.change(made.id, items=[{"id": added.id, "deleted": True}], proration_behavior="always_invoice")
    assert amounts(gone.latest_invoice) == [-800]
    assert world.balance() == -800
    with pytest.raises(stripe.InvalidRequestError):
        world.change(made.id, items=[{"id": item_of(made).id, "deleted": True}])
    with pytest.raises(stripe.InvalidRequestError):
        world.change(made.id, items=[{"id": added.id, "quantity": 1}])
    with pytest.raises(stripe.InvalidRequestError, match="same price"):
        world.change(made.id, items=[{"price": item_of(made).price.id}])


def test_updates_say_what_was_before(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000), metadata={"a": "1"})
    world.change(made.id, metadata={"a": "2", "b": "3"})
    event = client.v1.events.list({"type": "customer.subscription.updated"}).data[0]
    assert event.data.previous_attributes.to_dict() == {"metadata": {"a": "1", "b": None}}
    count = len(world.events())
    world.change(made.id, metadata={"a": "2"})
    assert len(world.events()) == count


@pytest.mark.parametrize("days", [-1, 29])
def test_a_proration_date_lies_within_the_period(client: StripeClient, days: int) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    items: Any = [{"id": item_of(made).id, "quantity": 2}]
    for call in (world.change, lambda subscription, **details: preview(world, subscription, **details)):
        with pytest.raises(stripe.InvalidRequestError, match="proration date"):
            call(made.id, items=items, proration_date=START + days * DAY)


def test_previews_of_the_next_and_of_no_invoice(client: StripeClient) -> None:
    world = make_world(client)
    made = world.subscribe(world.price(2000))
    upcoming = preview(world, made.id)
    assert upcoming.id.startswith("upcoming_in_")
    assert (upcoming.billing_reason, upcoming.status, upcoming.total) == ("upcoming", "draft", 2000)
    with pytest.raises(stripe.InvalidRequestError) as nothing:
        preview(world, made.id, cancel_at_period_end=True)
    assert nothing.value.code == "invoice_upcoming_none"
    world.advance(days=7)
    assert preview(world, made.id, cancel_now=True).total == -1500


def test_a_preview_of_a_new_subscription(client: StripeClient) -> None:
    world = make_world(client, card=None)
    items: Any = [{"price": world.price(2000), "quantity": 2}]
    shown = client.v1.invoices.create_preview({"customer": world.customer, "subscription_details": {"items": items}})
    assert shown.total == 4000
    assert client.v1.subscriptions.list().data == []
