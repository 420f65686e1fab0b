"""Buying credits at the sandbox's Stripe, as a person does."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import stripe as stripe_sdk
from django.conf import settings

from billing.credits.models import TopUp
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.services.open_top_up_checkout import OpenedTopUp, open_top_up_checkout
from billing.subscriptions.models import BillingAccount
from sandbox.stripe.process import StripeSandbox

VISA = "4242424242424242"
DISPUTED = "4000000000000259"
BACK = f"{settings.QUAESTOR_ORIGIN}/back"


def stripe_now(stripe: StripeSandbox) -> datetime:
    """The sandbox's time."""
    return datetime.fromtimestamp(stripe.call("GET", "/_sandbox/clock")["now"], UTC)


def open_purchase(
    account: BillingAccount, stripe: StripeSandbox, amount: str = "20", *, key: str = "", **more: Any
) -> OpenedTopUp:
    said = {"success_url": BACK, "cancel_url": BACK} | more
    return open_top_up_checkout(
        account_id=account.id, amount=Decimal(amount), idempotency_key=key, at=stripe_now(stripe), **said
    )


def session_of(opened: OpenedTopUp) -> str:
    return TopUp.objects.get(id=opened.id).checkout.session_id


def press_pay(stripe: StripeSandbox, opened: OpenedTopUp, *, card: str = VISA) -> stripe_sdk.Charge:
    """Pay on the hosted page; answers the charge that came of it."""
    session = stripe.call("POST", f"/_sandbox/checkout/{session_of(opened)}", {"card": card})["session"]
    intent = stripe_client().v1.payment_intents.retrieve(session["payment_intent"])
    return stripe_client().v1.charges.retrieve(str(intent.latest_charge))


def refund(charge: stripe_sdk.Charge, units: int) -> stripe_sdk.Refund:
    return stripe_client().v1.refunds.create({"charge": charge.id, "amount": units})
