"""Checkout sessions: what they sell, what paying does, and when they end (S2)."""

import time

import pytest
import stripe
from stripe import StripeClient

from sandbox.errors import SandboxError
from sandbox.stripe.process import StripeSandbox
from tests.sandbox.stripe.shop import DECLINED, DISPUTED, GOOD, LATER, NO_FUNDS, SECURE, Shop, make_shop


@pytest.fixture
def shop(client: StripeClient, stripe_server: StripeSandbox) -> Shop:
    return make_shop(client, stripe_server)


def press(shop: Shop, session: stripe.checkout.Session, card: str, **more: object) -> dict[str, object]:
    return shop.server.call("POST", f"/_sandbox/checkout/{session.id}", {"card": card} | more)


def test_a_subscription_is_paid_and_told(shop: Shop) -> None:
    session = shop.session(
        client_reference_id="acme", metadata={"a": "1"}, subscription_data={"metadata": {"account": "7"}}
    )
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 2000)
    answer = press(shop, session, GOOD)
    assert answer["redirect"] == f"https://shop.example/done?s={session.id}"
    done = shop.again(session)
    assert (done.status, done.payment_status, done.url, done.client_reference_id) == ("complete", "paid", None, "acme")
    subscription = shop.client.v1.subscriptions.retrieve(str(done.subscription), {"expand": ["latest_invoice"]})
    assert (subscription.status, subscription.metadata["account"]) == ("active", "7")
    assert (subscription.latest_invoice.id, subscription.latest_invoice.amount_paid) == (done.invoice, 2000)
    method = shop.client.v1.payment_methods.retrieve(str(subscription.default_payment_method))
    assert (method.customer, method.card.last4, method.billing_details.name) == (shop.customer, "4242", "Sandbox Buyer")
    assert shop.events()[-1] == "checkout.session.completed"


def test_metered_prices_carry_no_quantity(shop: Shop) -> None:
    meter = shop.client.v1.billing.meters.create(
        {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    )
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter.id}
    metered = shop.price(1, recurring=recurring)
    with pytest.raises(stripe.InvalidRequestError, match="metered"):
        shop.session(line_items=[{"price": metered, "quantity": 1}])
    items = [{"price": shop.price(), "quantity": 3}, {"price": metered}]
    session = shop.session(line_items=items, expand=["line_items"])
    assert [(item.quantity, item.amount_total) for item in session.line_items.data] == [(3, 6000), (None, 0)]
    press(shop, session, GOOD)
    listed = shop.client.v1.checkout.sessions.line_items.list(session.id)
    assert [item.description for item in listed.data] == ["Pro", "Pro"]
    assert (
        len(shop.client.v1.subscription_items.list({"subscription": str(shop.again(session).subscription)}).data) == 2
    )


def test_tiers_and_seats_are_added_up(shop: Shop) -> None:
    product = shop.client.v1.products.create({"name": "Seats"}).id
    price = shop.client.v1.prices.create(
        {
            "product": product,
            "currency": "usd",
            "recurring": {"interval": "year"},
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "tiers": [{"up_to": 5, "unit_amount": 1000}, {"up_to": "inf", "unit_amount": 800}],
        }
    )
    session = shop.session(line_items=[{"price": price.id, "quantity": 7}])
    assert session.amount_total == 6600
    assert "7 units, $66.00 per year" in shop.get(str(session.url))[1]
    press(shop, session, GOOD)
    assert shop.client.v1.charges.list().data[0].amount == 6600


def test_a_purchase_keeps_the_card_where_asked(shop: Shop) -> None:
    session = shop.purchase(payment_intent_data={"metadata": {"top_up": "9"}, "setup_future_usage": "off_session"})
    press(shop, session, GOOD)
    intent = shop.client.v1.payment_intents.retrieve(str(shop.again(session).payment_intent))
    assert (intent.status, intent.amount, intent.metadata["top_up"]) == ("succeeded", 2500, "9")
    assert len(shop.client.v1.customers.payment_methods.list(shop.customer).data) == 1


def test_a_guest_pays_without_becoming_a_customer(shop: Shop) -> None:
    session = shop.client.v1.checkout.sessions.create(
        {
            "line_items": [
                {"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "A"}}, "quantity": 1}
            ],
            "mode": "payment",
            "success_url": "https://shop.example/",
        }
    )
    press(shop, session, GOOD)
    done = shop.again(session)
    assert (done.customer, done.customer_details.email, done.payment_status) == (None, "buyer@example.com", "paid")


def test_setup_keeps_a_card_and_charges_nothing(shop: Shop) -> None:
    session = shop.session(mode="setup", currency="usd")
    press(shop, session, GOOD)
    done = shop.again(session)
    intent = shop.client.v1.setup_intents.retrieve(str(done.setup_intent))
    assert (intent.status, done.payment_status, done.amount_total) == ("succeeded", "no_payment_required", None)
    assert shop.client.v1.charges.list().data == []


@pytest.mark.parametrize("card", [DECLINED, NO_FUNDS, LATER])
@pytest.mark.parametrize("mode", ["subscription", "payment"])
def test_a_refused_card_leaves_nothing_behind(shop: Shop, mode: str, card: str) -> None:
    session = shop.session() if mode == "subscription" else shop.purchase()
    before = shop.events()
    with pytest.raises(SandboxError, match="402"):
        press(shop, session, card)
    assert shop.events() == before
    assert shop.client.v1.payment_methods.list({"customer": shop.customer}).data == []
    assert shop.again(session).status == "open"
    press(shop, session, GOOD)
    assert shop.again(session).payment_status == "paid"


def test_secure_cards_ask_first(shop: Shop) -> None:
    session = shop.session()
    with pytest.raises(SandboxError, match="authentication_required"):
        press(shop, session, SECURE)
    press(shop, session, SECURE, authenticate=True)
    assert shop.again(session).payment_status == "paid"


def test_pressed_twice_pays_once(shop: Shop) -> None:
    session = shop.purchase()
    assert press(shop, session, GOOD) == press(shop, session, GOOD)
    assert len(shop.client.v1.charges.list().data) == 1


def test_the_disputed_card_pays_and_disputes(shop: Shop) -> None:
    session = shop.purchase()
    press(shop, session, DISPUTED)
    dispute = shop.client.v1.disputes.list().data[0]
    assert (dispute.reason, dispute.payment_intent) == ("fraudulent", shop.again(session).payment_intent)


def test_what_was_offered_can_be_bought_after_its_price_was_withdrawn(shop: Shop) -> None:
    price = shop.price()
    session = shop.session(line_items=[{"price": price, "quantity": 1}])
    shop.client.v1.prices.update(price, {"active": False})
    press(shop, session, GOOD)
    assert shop.again(session).payment_status == "paid"
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        shop.session(line_items=[{"price": price, "quantity": 1}])


def test_sessions_expire_on_request_and_by_time(shop: Shop) -> None:
    first, second = shop.session(), shop.session(expires_at=int(time.time()) + 3600)
    assert shop.client.v1.checkout.sessions.expire(first.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.checkout.sessions.expire(first.id)
    shop.server.call("POST", "/_sandbox/clock", {"advance_seconds": 3700})
    assert shop.again(second).status == "expired"
    assert shop.events()[-2:] == ["checkout.session.expired"] * 2
    with pytest.raises(SandboxError, match="no longer open"):
        press(shop, second, GOOD)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"customer_email": "b@example.com"}, "only specify one"),
        ({"mode": "payment"}, "recurring price"),
        ({"expires_at": 1}, "30 minutes"),
        ({"customer": "cus_none"}, "No such customer"),
        ({"discounts": [{"coupon": "x"}]}, "does not know"),
        ({"line_items": []}, "line_items"),
        ({"line_items": [{"price": "price_none", "quantity": 1}]}, "No such price"),
        ({"payment_intent_data": {"metadata": {"a": "b"}}}, "subscription"),
    ],
)
def test_what_makes_no_sense_is_refused(shop: Shop, more: dict[str, object], message: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message):
        shop.session(**more)
