"""Saved cards, masked."""

import pytest

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.queries import MaskedCard, payment_methods_of
from sandbox.stripe.process import StripeSandbox
from tests.make import Customer, make_customer
from tests.stripe_sync.metered import make_subscriber
from tests.stripe_sync.paying import open_purchase, press_pay
from tests.stripe_sync.plans import customer_of, look

pytestmark = pytest.mark.django_db


def cards(customer: Customer) -> list[tuple[str, str, bool]]:
    return [(card.brand, card.last4, card.is_default) for card in payment_methods_of(customer.account.id)]


def attach(customer: Customer, token: str) -> str:
    method = stripe_client().v1.payment_methods.attach(token, {"customer": customer_of(customer.account.id)})
    return str(method.id)


def test_cards_are_masked(stripe_catalogue: StripeSandbox) -> None:
    """I3: brand, last four digits, expiry, and which one is charged; the default stands first."""
    customer = make_subscriber(stripe_catalogue)
    attach(customer, "pm_card_mastercard")
    look(customer.account, stripe_catalogue)
    assert cards(customer) == [("visa", "4242", True), ("mastercard", "4444", False)]
    card = payment_methods_of(customer.account.id)[0]
    assert set(MaskedCard.__slots__) == {"id", "brand", "last4", "exp_month", "exp_year", "is_default"}
    assert 1 <= card.exp_month <= 12
    assert card.exp_year > 2026


def test_default_of_the_customer(stripe_catalogue: StripeSandbox) -> None:
    """I3: the subscription's own card is charged first; once that is gone, the customer's default."""
    customer = make_subscriber(stripe_catalogue)
    (visa,) = payment_methods_of(customer.account.id)
    other = attach(customer, "pm_card_mastercard")
    default = {"invoice_settings": {"default_payment_method": other}}
    stripe_client().v1.customers.update(customer_of(customer.account.id), default)
    look(customer.account, stripe_catalogue)
    assert cards(customer) == [("visa", "4242", True), ("mastercard", "4444", False)]
    stripe_client().v1.payment_methods.detach(visa.id)
    look(customer.account, stripe_catalogue)
    assert cards(customer) == [("mastercard", "4444", True)]


def test_card_that_was_removed(stripe_catalogue: StripeSandbox) -> None:
    """I3: what was taken away at Stripe is shown no more."""
    customer = make_subscriber(stripe_catalogue)
    other = attach(customer, "pm_card_mastercard")
    look(customer.account, stripe_catalogue)
    stripe_client().v1.payment_methods.detach(other)
    look(customer.account, stripe_catalogue)
    assert cards(customer) == [("visa", "4242", True)]


def test_cards_of_others(stripe_catalogue: StripeSandbox) -> None:
    """I3: an account sees its own cards; one that never paid for a plan has none."""
    make_subscriber(stripe_catalogue)
    buyer = make_customer("free")
    assert payment_methods_of(buyer.account.id) == []
    press_pay(stripe_catalogue, open_purchase(buyer.account, stripe_catalogue))
    look(buyer.account, stripe_catalogue)
    assert payment_methods_of(buyer.account.id) == []


def test_shown_without_stripe(stripe_catalogue: StripeSandbox) -> None:
    """S6: what was read last is there while Stripe is not."""
    customer = make_subscriber(stripe_catalogue)
    stripe_catalogue.call("POST", "/_sandbox/faults", {"path": ".*", "kind": "timeout", "times": 9})
    assert cards(customer) == [("visa", "4242", True)]
