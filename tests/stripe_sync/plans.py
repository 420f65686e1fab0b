"""Paying for a plan at the sandbox's Stripe, as a person does."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import stripe as stripe_sdk

from billing.core.ids import decode_id
from billing.stripe_sync.changes import OpenedCheckout
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import CheckoutSession, StripeCustomer
from billing.stripe_sync.services.open_plan_checkout import open_plan_checkout
from billing.stripe_sync.services.sync_customer import sync_customer
from billing.subscriptions.agreements import latest_subscription
from billing.subscriptions.models import BillingAccount
from sandbox.stripe.process import StripeSandbox
from tests.stripe_sync.paying import BACK, VISA, stripe_now

DAY = 86_400


def open_checkout(
    account: BillingAccount, plan: str = "pro", *, at: datetime | None = None, **more: Any
) -> OpenedCheckout:
    said = {"interval": "monthly", "variant": "standard", "seats": 1, "idempotency_key": ""} | more
    back = {"success_url": BACK, "cancel_url": BACK}
    return open_plan_checkout(account_id=account.id, plan_slug=plan, at=at or datetime.now(UTC), **(back | said))


def row_of(opened: OpenedCheckout) -> CheckoutSession:
    return CheckoutSession.objects.get(id=decode_id("chk", opened.id))


def pay(stripe: StripeSandbox, opened: OpenedCheckout, *, card: str = VISA) -> str:
    """Press the page's button; answers the subscription at Stripe."""
    done = stripe.call("POST", f"/_sandbox/checkout/{row_of(opened).session_id}", {"card": card})
    return str(done["session"]["subscription"])


def look(account: BillingAccount, stripe: StripeSandbox) -> None:
    """What every event about the customer does, at Stripe's time."""
    sync_customer(account_id=account.id, at=stripe_now(stripe))


def subscribed(
    account: BillingAccount, stripe: StripeSandbox, plan: str = "pro", *, card: str = VISA, **more: Any
) -> str:
    """Put the account on a plan by Checkout; answers the subscription at Stripe."""
    subscription = pay(stripe, open_checkout(account, plan, **more), card=card)
    look(account, stripe)
    return subscription


def advance(stripe: StripeSandbox, days: float) -> None:
    stripe.call("POST", "/_sandbox/clock", {"advance_seconds": int(days * DAY)})


def plan_of(account: BillingAccount) -> tuple[str, str, str, int]:
    """Plan, interval, variant and seats from now on."""
    subscription = latest_subscription(account.id)
    assert subscription is not None
    return subscription.plan_version.plan.slug, subscription.interval, subscription.variant, subscription.seats


def customer_of(account_id: UUID) -> str:
    return StripeCustomer.objects.get(account_id=account_id).customer_id


def paid_invoices(account: BillingAccount) -> list[stripe_sdk.Invoice]:
    """The customer's invoices that money came in for, oldest first."""
    found = stripe_client().v1.invoices.list({"customer": customer_of(account.id), "status": "paid", "limit": 100})
    return sorted((one for one in found.data if one.amount_paid), key=lambda one: (one.created, one.number or ""))


def charged(account: BillingAccount) -> int:
    """What the customer's cards were charged, less refunds, in minor units."""
    charges = stripe_client().v1.charges.list({"customer": customer_of(account.id), "limit": 100})
    return sum(one.amount_captured - one.amount_refunded for one in charges.data if one.paid)
