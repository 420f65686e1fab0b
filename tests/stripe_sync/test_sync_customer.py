"""A fresh read of a customer, and what the account makes of it."""

import pytest
import stripe as stripe_sdk
from djstripe.models import PaymentMethod
from djstripe.models import Subscription as MirroredSubscription

from billing.stripe_sync.client import StripeNotConfigured, stripe_client
from billing.stripe_sync.models import StripeCustomer, StripePrice
from billing.stripe_sync.services.ensure_customer import ensure_customer
from billing.stripe_sync.services.sync_customer import sync_customer
from billing.subscriptions.models import Agreement, BillingAccount, Subscription
from sandbox.stripe.process import StripeSandbox
from tests.make import AT, make_customer
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import advance, customer_of, look, plan_of, subscribed

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(stripe_catalogue: StripeSandbox) -> BillingAccount:
    return make_customer("free").account


def test_account_without_a_customer(catalogue: None) -> None:
    """S6: nothing to read, so that no Stripe is needed."""
    sync_customer(account_id=make_customer().account.id, at=AT)


def test_without_a_key(catalogue: None) -> None:
    """S6: an account that once paid cannot be read without Stripe."""
    account = make_customer().account
    StripeCustomer.objects.create(account=account, customer_id="cus_1", created_at=AT)
    with pytest.raises(StripeNotConfigured):
        sync_customer(account_id=account.id, at=AT)


def test_mirrored_for_staff(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S1, I3: subscription and card are copied; a card that was taken away is nobody's."""
    subscription = subscribed(account, stripe)
    assert MirroredSubscription.objects.get(id=subscription).customer_id == customer_of(account.id)
    card = PaymentMethod.objects.get(customer_id=customer_of(account.id))
    stripe_client().v1.payment_methods.detach(card.id)
    look(account, stripe)
    assert PaymentMethod.objects.get(id=card.id).customer_id is None
    assert StripeCustomer.objects.get().synced_at is not None


def test_changes_made_at_stripe_are_followed(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S4: whoever changes seats and price at Stripe, the next look takes them over."""
    subscription = subscribed(account, stripe, "team", seats=2)
    item = stripe_client().v1.subscriptions.retrieve(subscription)["items"].data[0]
    price = StripePrice.objects.get(lookup_key="quaestor:team:v1:monthly:byok").price_id
    change: stripe_sdk.params.SubscriptionUpdateParams = {"items": [{"id": item.id, "price": price, "quantity": 5}]}
    stripe_client().v1.subscriptions.update(subscription, change)
    look(account, stripe)
    assert plan_of(account) == ("team", "monthly", "byok", 5)


def test_subscription_that_is_not_ours(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S4: one for a foreign product is left alone, and gives no plan."""
    customer = ensure_customer(account_id=account.id, at=AT).customer_id
    card = stripe_client().v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    product = stripe_client().v1.products.create({"name": "Workshop"})
    price = stripe_client().v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 500, "recurring": {"interval": "month"}}
    )
    made = stripe_client().v1.subscriptions.create(
        {"customer": customer, "items": [{"price": price.id}], "default_payment_method": card.id}
    )
    subscribed(account, stripe)
    assert stripe_client().v1.subscriptions.retrieve(made.id).status == "active"
    assert (Agreement.objects.count(), plan_of(account)[0]) == (1, "pro")


def test_price_that_became_foreign(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S4: somebody put a price of their own on our subscription: the plan stays, for the drift report to name."""
    subscription = subscribed(account, stripe)
    item = stripe_client().v1.subscriptions.retrieve(subscription)["items"].data[0]
    foreign = stripe_client().v1.prices.create(
        {"product": "quaestor_pro", "currency": "usd", "unit_amount": 500, "recurring": {"interval": "month"}}
    )
    change: stripe_sdk.params.SubscriptionUpdateParams = {"items": [{"id": item.id, "price": foreign.id}]}
    stripe_client().v1.subscriptions.update(subscription, change)
    look(account, stripe)
    assert (Agreement.objects.get().status, plan_of(account)[0]) == ("active", "pro")


def test_every_look_ends_alike(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S4: any number of looks later the account's history is the same."""
    subscribed(account, stripe)
    advance(stripe, 40)
    look(account, stripe)
    before = list(Subscription.objects.values()), list(Agreement.objects.values_list("status", "period_end"))
    for _ in range(2):
        advance(stripe, 1)
        look(account, stripe)
    assert (list(Subscription.objects.values()), list(Agreement.objects.values_list("status", "period_end"))) == before


def test_stripe_breaks_off(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S4: a look that fails halfway leaves everything as it was."""
    subscribed(account, stripe)
    stripe_client().v1.subscriptions.cancel(Agreement.objects.get().external_id)
    fault = {"method": "GET", "path": "^/v1/invoices$", "kind": "status", "status": 500, "times": 3}
    stripe.call("POST", "/_sandbox/faults", fault)
    with pytest.raises(stripe_sdk.APIError):
        sync_customer(account_id=account.id, at=stripe_now(stripe))
    assert (Agreement.objects.get().status, plan_of(account)[0]) == ("active", "pro")
