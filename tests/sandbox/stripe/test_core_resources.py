"""Customers, catalogue, meters and cards behave as the API's own (S1, S7, I3)."""

import pytest
import stripe
from stripe import StripeClient

from sandbox.stripe.process import StripeSandbox

CARD = {"exp_month": 7, "exp_year": 2031, "cvc": "123"}


def attached(client: StripeClient, customer: str, token: str = "pm_card_visa") -> stripe.PaymentMethod:
    return client.v1.payment_methods.attach(token, {"customer": customer})


def meter(client: StripeClient, event_name: str = "tokens") -> stripe.billing.Meter:
    return client.v1.billing.meters.create(
        {"display_name": "Tokens", "event_name": event_name, "default_aggregation": {"formula": "sum"}}
    )


def event_types(client: StripeClient) -> list[str]:
    return [event.type for event in client.v1.events.list().data][::-1]


def test_a_customer_is_made_changed_and_deleted(client: StripeClient) -> None:
    made = client.v1.customers.create(
        {"email": "a@x.test", "name": "A", "metadata": {"a": "1", "b": "2"}, "address": {"country": "DE"}}
    )
    assert (made.balance, made.currency, made.default_source, made.delinquent) == (0, None, None, False)
    changed = client.v1.customers.update(made.id, {"name": "B", "metadata": {"a": "", "c": "3"}})
    assert (changed.name, changed.to_dict()["metadata"]) == ("B", {"b": "2", "c": "3"})
    assert client.v1.customers.retrieve(made.id).name == "B"
    client.v1.customers.update(made.id, {"name": "B"})
    assert client.v1.customers.delete(made.id).deleted
    assert client.v1.customers.retrieve(made.id).deleted
    assert client.v1.customers.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.update(made.id, {"name": "C"})
    assert event_types(client) == ["customer.created", "customer.updated", "customer.deleted"]


def test_an_event_says_what_was_before(client: StripeClient) -> None:
    made = client.v1.customers.create({"name": "A", "invoice_settings": {"footer": "old"}})
    client.v1.customers.update(made.id, {"name": "B", "invoice_settings": {"footer": "new"}})
    data = client.v1.events.list({"type": "customer.*"}).data[0].to_dict()["data"]
    assert data["previous_attributes"] == {"name": "A", "invoice_settings": {"footer": "old"}}
    assert data["object"]["name"] == "B"


def test_the_default_card_must_be_the_customer_s(client: StripeClient) -> None:
    customer, other = client.v1.customers.create({}), client.v1.customers.create({})
    card = attached(client, other.id)
    with pytest.raises(stripe.InvalidRequestError, match="must be attached"):
        client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}})
    client.v1.customers.update(other.id, {"invoice_settings": {"default_payment_method": card.id}})
    client.v1.payment_methods.detach(card.id)
    settings = client.v1.customers.retrieve(other.id).invoice_settings
    assert settings is not None
    assert settings.default_payment_method is None
    with pytest.raises(stripe.InvalidRequestError, match="detached"):
        client.v1.payment_methods.attach(card.id, {"customer": other.id})


def test_a_balance_is_a_transaction(client: StripeClient) -> None:
    customer = client.v1.customers.create({"balance": -500})
    assert customer.balance == -500
    client.v1.customers.balance_transactions.create(customer.id, {"amount": 200, "currency": "usd"})
    assert client.v1.customers.retrieve(customer.id).balance == -300
    amounts = [item.amount for item in client.v1.customers.balance_transactions.list(customer.id).data]
    assert amounts == [200, -500]


def test_cards_show_brand_last4_and_expiry_alone(client: StripeClient) -> None:
    customer = client.v1.customers.create({})
    method = client.v1.payment_methods.create({"type": "card", "card": CARD | {"number": "5555555555554444"}})
    client.v1.payment_methods.attach(method.id, {"customer": customer.id})
    (listed,) = client.v1.customers.payment_methods.list(customer.id).data
    assert listed.card is not None
    assert (listed.card.brand, listed.card.last4, listed.card.exp_month, listed.card.exp_year) == (
        "mastercard",
        "4444",
        7,
        2031,
    )
    assert "5555555555554444" not in str(listed)
    by_token = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    assert by_token.card is not None
    assert by_token.card.last4 == "4242"
    assert client.v1.payment_methods.update(method.id, {"metadata": {"a": "b"}}).to_dict()["metadata"] == {"a": "b"}
    assert len(client.v1.payment_methods.list({"customer": customer.id, "type": "card"}).data) == 1


@pytest.mark.parametrize(
    ("number", "code", "decline_code"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "card_declined", "insufficient_funds"),
        ("4000000000000069", "expired_card", "expired_card"),
    ],
)
def test_a_refused_card_cannot_be_attached(client: StripeClient, number: str, code: str, decline_code: str) -> None:
    customer = client.v1.customers.create({})
    method = client.v1.payment_methods.create({"type": "card", "card": CARD | {"number": number}})
    with pytest.raises(stripe.CardError) as decline:
        client.v1.payment_methods.attach(method.id, {"customer": customer.id})
    assert decline.value.error is not None
    assert (decline.value.http_status, decline.value.code) == (402, code)
    assert decline.value.error.decline_code == decline_code
    assert client.v1.customers.payment_methods.list(customer.id).data == []


def test_a_number_that_is_no_test_card_is_refused(client: StripeClient) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        client.v1.payment_methods.create({"type": "card", "card": CARD | {"number": "4111111111111111"}})
    assert refusal.value.code == "incorrect_number"


def test_a_product_keeps_the_id_it_was_given(client: StripeClient) -> None:
    product = client.v1.products.create({"id": "plan_team", "name": "Team"})
    assert client.v1.products.retrieve("plan_team").name == product.name
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.products.create({"id": "plan_team", "name": "Team"})
    assert refusal.value.code == "resource_already_exists"
    assert client.v1.products.update("plan_team", {"active": False, "description": "d"}).description == "d"
    assert client.v1.products.list({"active": True}).data == []
    assert client.v1.products.features.list("plan_team").data == []
    assert client.v1.products.delete("plan_team").deleted


def test_a_price_is_written_both_ways(client: StripeClient) -> None:
    product = client.v1.products.create({"name": "P"})
    whole = client.v1.prices.create({"currency": "usd", "product": product.id, "unit_amount": 2900})
    part = client.v1.prices.create({"currency": "usd", "product": product.id, "unit_amount_decimal": "0.0500"})
    assert (whole.unit_amount, whole.unit_amount_decimal, whole.type) == (2900, 2900, "one_time")
    assert (part.unit_amount, str(part.unit_amount_decimal)) == (None, "0.05")
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.products.delete(product.id)


def test_a_lookup_key_has_one_price(client: StripeClient) -> None:
    product = client.v1.products.create({"name": "P"})

    def price(**more: object) -> stripe.Price:
        wanted = {"currency": "usd", "product": product.id, "unit_amount": 1, "lookup_key": "team-monthly"}
        return client.v1.prices.create(wanted | more)  # the SDK's types know no such union

    first = price()
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        price()
    second = price(transfer_lookup_key=True)
    assert [found.id for found in client.v1.prices.list({"lookup_keys": ["team-monthly"]}).data] == [second.id]
    assert client.v1.prices.retrieve(first.id).lookup_key is None
    assert client.v1.prices.search({"query": "lookup_key:'team-monthly'"}).data[0].id == second.id


def test_a_metered_price_names_its_meter(client: StripeClient) -> None:
    product, tokens = client.v1.products.create({"name": "P"}), meter(client)
    price = client.v1.prices.create(
        {
            "currency": "usd",
            "product": product.id,
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "tiers": [{"up_to": 100, "unit_amount": 0}, {"up_to": "inf", "unit_amount_decimal": "0.25"}],
            "recurring": {"interval": "month", "usage_type": "metered", "meter": tokens.id},
            "expand": ["tiers"],
        }
    )
    assert price.recurring is not None
    assert price.tiers is not None
    assert (price.recurring.meter, [tier.up_to for tier in price.tiers]) == (tokens.id, [100, None])
    assert "tiers" not in client.v1.prices.retrieve(price.id)
    with pytest.raises(stripe.InvalidRequestError, match="meter"):
        client.v1.prices.create(
            {
                "currency": "usd",
                "product": product.id,
                "unit_amount": 1,
                "recurring": {"interval": "month", "usage_type": "metered"},
            }
        )


def test_a_meter_has_its_event_name_to_itself(client: StripeClient) -> None:
    first = meter(client)
    with pytest.raises(stripe.InvalidRequestError, match="already an active meter"):
        meter(client)
    client.v1.billing.meters.deactivate(first.id)
    second = meter(client)
    assert [found.id for found in client.v1.billing.meters.list({"status": "active"}).data] == [second.id]
    assert client.v1.billing.meters.update(second.id, {"display_name": "New"}).display_name == "New"


def test_the_account_answers(client: StripeClient, stripe_server: StripeSandbox) -> None:
    account = client.v1.accounts.retrieve_current()
    assert (account.object, account.charges_enabled) == ("account", True)
    assert stripe_server.call("GET", "/_sandbox/health")["api_version"] == stripe.api_version
