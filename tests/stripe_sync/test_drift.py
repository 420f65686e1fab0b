"""The drift report, its repair, and the hourly comparison."""

from datetime import timedelta
from uuid import UUID

import pytest
import stripe as sdk

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import CheckoutSession, DriftFinding, InboxEvent, StripeCustomer
from billing.stripe_sync.services.find_catalogue_drift import find_catalogue_drift
from billing.stripe_sync.services.find_drift import find_drift
from billing.stripe_sync.services.open_plan_checkout import open_plan_checkout
from billing.stripe_sync.services.reconcile import Reconciled, reconcile
from billing.stripe_sync.services.repair_drift import repair_drift
from billing.stripe_sync.services.sync_checkout import sync_checkout
from billing.subscriptions.agreements import latest_subscription
from billing.subscriptions.models import Agreement
from sandbox.stripe.process import StripeSandbox
from tests.make import AT, Customer, make_customer

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(hours=1)
RETURN = "http://127.0.0.1:8000/plans"
"""Where the page sends people back to."""


@pytest.fixture
def paid(stripe_catalogue: StripeSandbox) -> Customer:
    """A customer on Pro, in step with Stripe."""
    customer = make_customer("free")
    sync_checkout(session_id=pay(stripe_catalogue, customer), at=AT)
    assert plan(customer) == "pro"
    return customer


def pay(stripe: StripeSandbox, customer: Customer) -> str:
    """Check out for Pro with the card that works, unnoticed by us."""
    open_plan_checkout(
        account_id=customer.account.id,
        plan_slug="pro",
        interval="monthly",
        variant="standard",
        seats=1,
        success_url=RETURN,
        cancel_url=RETURN,
        idempotency_key="",
        at=AT,
    )
    session = CheckoutSession.objects.latest("created_at").session_id
    stripe.call("POST", f"/_sandbox/checkout/{session}", {"card": "4242424242424242"})
    return session


def plan(customer: Customer) -> str:
    present = latest_subscription(customer.account.id)
    assert present is not None
    return present.plan_version.plan.slug


def subscription() -> sdk.Subscription:
    return stripe_client().v1.subscriptions.list({"status": "all"}).data[0]


def found(account_id: UUID) -> set[tuple[str, str]]:
    return {(row.kind, row.field) for row in find_drift(account_id=account_id, at=LATER)}


def test_nothing_differs(paid: Customer) -> None:
    """S5: in step is an empty report."""
    assert find_drift(account_id=paid.account.id, at=LATER) == []
    assert find_catalogue_drift(at=LATER) == []
    assert find_drift(account_id=make_customer("free").account.id, at=LATER) == []
