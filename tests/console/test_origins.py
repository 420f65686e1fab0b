"""Where forms may lead, and where Stripe sends people back to (S2, S3)."""

import pytest
from pytest_django.fixtures import Settings

from billing.console.origins import payment_origins
from sandbox.stripe.process import TEST_KEY
from tests.console.make import make_client
from tests.make import Customer


def test_hosted_pages_of_stripe(settings: Settings) -> None:
    """S2: exactly its two hosts, once there is a key."""
    assert payment_origins() == []
    settings.STRIPE_SECRET_KEY = TEST_KEY
    pages = ("checkout", "billing", "invoice")
    assert payment_origins() == [f"https://{page}.stripe.com" for page in pages]


def test_stand_in_serves_its_own_pages(settings: Settings) -> None:
    """S2: its origin alone."""
    settings.STRIPE_SECRET_KEY = TEST_KEY
    settings.STRIPE_API_HOST = "http://127.0.0.1:8001/some/path"
    assert payment_origins() == ["http://127.0.0.1:8001"]


@pytest.mark.parametrize(("key", "policy"), [("", "form-action 'self'"), (TEST_KEY, "form-action 'self' https://c")])
def test_policy_of_a_page(customer: Customer, settings: Settings, key: str, policy: str) -> None:
    """S6: without Stripe a form leads nowhere else."""
    settings.STRIPE_SECRET_KEY = key
    found = make_client(customer.tenant).get("/plans/")["Content-Security-Policy"]
    assert [part for part in found.split("; ") if part.startswith(policy)]
    assert ("checkout.stripe.com" in found) == bool(key)
