"""The way to Stripe's portal, and what people do there."""

import pytest
from pytest_django import Settings

from billing.core.problems import Problem
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import StripeCustomer
from billing.stripe_sync.return_urls import require_allowed
from billing.stripe_sync.services.open_portal import open_portal
from billing.subscriptions.models import BillingAccount
from sandbox.stripe.process import StripeSandbox
from tests.make import AT, make_customer
from tests.stripe_sync.paying import BACK
from tests.stripe_sync.plans import customer_of, look, subscribed

ORIGINS = ["https://console.example", "http://localhost:3000"]


def refusal(account: BillingAccount, url: str = BACK) -> str:
    with pytest.raises(Problem) as problem:
        open_portal(account_id=account.id, return_url=url, at=AT)
    return problem.value.code


@pytest.mark.django_db
def test_portal_of_a_customer(stripe_catalogue: StripeSandbox) -> None:
    """S3: the portal of the account's own customer, which leads back."""
    account = make_customer("free").account
    subscribed(account, stripe_catalogue)
    for _ in range(2):
        assert open_portal(account_id=account.id, return_url=BACK, at=AT).startswith(stripe_catalogue.url)
    configurations = stripe_client().v1.billing_portal.configurations.list().data
    assert len(configurations) == 1
    assert not configurations[0].features.subscription_update.enabled


@pytest.mark.django_db
def test_nobody_to_open_it_for(stripe_catalogue: StripeSandbox) -> None:
    """S3: before the first purchase, and after the customer was deleted at Stripe."""
    account = make_customer("free").account
    assert refusal(account) == "no-stripe-customer"
    subscribed(account, stripe_catalogue)
    stripe_client().v1.customers.delete(customer_of(account.id))
    look(account, stripe_catalogue)
    assert StripeCustomer.objects.get().deleted_at is not None
    assert refusal(account) == "no-stripe-customer"


@pytest.mark.django_db
def test_unconfigured_and_foreign(catalogue: None) -> None:
    """S2, S6: where people return to is checked first, then whether there is a Stripe."""
    account = make_customer("free").account
    assert refusal(account, "https://elsewhere.example") == "billing-return-url-not-allowed"
    assert refusal(account) == "stripe-not-configured"


@pytest.mark.parametrize(
    "url",
    [
        "https://console.example",
        "https://console.example/plans?done=1#top",
        "https://CONSOLE.example:443/",
        "http://localhost:3000/back?session={CHECKOUT_SESSION_ID}",
    ],
)
def test_allowed_addresses(settings: Settings, url: str) -> None:
    """S2: an allowed origin with any path."""
    settings.BILLING_RETURN_ORIGINS = ORIGINS
    require_allowed(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/plans",
        "//console.example/",
        "http://console.example/",
        "https://console.example:8443/",
        "https://console.example.evil.example/",
        "https://evil.example/https://console.example",
        "https://console.example@evil.example/",
        "https://user:secret@console.example/",
        "https://@console.example/",
        "https://console.example\\.evil.example/",
        "https://evil.example\\@console.example/",
        "https://console.example\n/",
        "\thttps://console.example/",
        "https://console.example /",
        "javascript:alert(1)//https://console.example",
        "data:text/html,x",
        "https://[::1/",
        "https://console.example:port/",
        "https://console.example:99999/",
        "http://localhost/",
        "https://console.example/" + "x" * 2000,
    ],
)
def test_foreign_addresses(settings: Settings, url: str) -> None:
    """S2: anything else, however it is written, is refused with its own problem."""
    settings.BILLING_RETURN_ORIGINS = ORIGINS
    with pytest.raises(Problem) as problem:
        require_allowed(url)
    assert problem.value.code == "billing-return-url-not-allowed"
    assert "secret" not in problem.value.detail
