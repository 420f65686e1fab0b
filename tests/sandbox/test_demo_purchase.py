"""The demo's second tenant pays for its plan at the stand-in for Stripe."""

import pytest
from pytest_django import Settings

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.services.push_catalogue import push_catalogue
from billing.stripe_sync.services.sync_customer import sync_customer
from billing.subscriptions.agreements import latest_subscription
from billing.subscriptions.models import Agreement, BillingAccount
from sandbox.demo.people import DEMO_TENANT, PAYING_PLAN, PAYING_TENANT
from sandbox.demo.purchase import buy_plan
from sandbox.errors import SandboxError
from sandbox.stripe.process import StripeSandbox
from tests.make import AT, make_customer
from tests.stripe_sync.paying import stripe_now
from tests.stripe_sync.plans import subscribed

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(stripe_catalogue: StripeSandbox) -> BillingAccount:
    return make_customer("free", slug=PAYING_TENANT).account


def plan_of(account: BillingAccount) -> str:
    present = latest_subscription(account.id)
    assert present is not None
    return present.plan_version.plan.slug


def test_plan_is_bought_once(account: BillingAccount, stripe: StripeSandbox) -> None:
    """Each start may ask: there is one subscription, paid by card."""
    for _ in range(2):
        buy_plan(at=stripe_now(stripe))
    assert plan_of(account) == PAYING_PLAN
    assert Agreement.objects.get().status == "active"
    assert len(stripe_client().v1.charges.list().data) == 1


def test_plan_is_bought_again_where_the_store_is_gone(account: BillingAccount, stripe: StripeSandbox) -> None:
    """The database may outlive the stand-in's store."""
    buy_plan(at=stripe_now(stripe))
    stripe.reset()
    push_catalogue(at=stripe_now(stripe))
    buy_plan(at=stripe_now(stripe))
    assert plan_of(account) == PAYING_PLAN
    assert sorted(Agreement.objects.values_list("status", flat=True)) == ["active", "canceled"]


def test_other_customers_of_a_store_that_is_gone_fall_to_free(account: BillingAccount, stripe: StripeSandbox) -> None:
    """Who had paid at the stand-in does not keep the plan until the hourly comparison."""
    other = make_customer("free", slug=DEMO_TENANT).account
    subscribed(other, stripe)
    buy_plan(at=stripe_now(stripe))
    stripe.reset()
    push_catalogue(at=stripe_now(stripe))
    buy_plan(at=stripe_now(stripe))
    assert (plan_of(other), plan_of(account)) == ("free", PAYING_PLAN)


def test_cancelled_plan_stays_cancelled(account: BillingAccount, stripe: StripeSandbox) -> None:
    """What somebody tries in the demo is not undone by the next start."""
    buy_plan(at=stripe_now(stripe))
    stripe_client().v1.subscriptions.cancel(Agreement.objects.get().external_id)
    sync_customer(account_id=account.id, at=stripe_now(stripe))
    buy_plan(at=stripe_now(stripe))
    assert plan_of(account) == "free"


def test_nothing_is_bought_at_the_real_stripe(settings: Settings) -> None:
    settings.STRIPE_API_HOST = "https://api.stripe.com"
    with pytest.raises(SandboxError, match="real Stripe"):
        buy_plan(at=AT)
