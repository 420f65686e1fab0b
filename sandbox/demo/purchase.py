"""The second tenant's paid plan, bought by the road that a customer takes."""

import http.client
import json
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from billing.core.ids import decode_id
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import CheckoutSession, StripeCustomer
from billing.stripe_sync.remote import read_customer, read_subscriptions
from billing.stripe_sync.services.open_plan_checkout import open_plan_checkout
from billing.stripe_sync.services.reconcile import reconcile
from billing.stripe_sync.services.sync_checkout import sync_checkout
from billing.subscriptions.models import BillingAccount
from sandbox.demo.people import PAYING_PLAN, PAYING_TENANT
from sandbox.errors import SandboxError
from sandbox.sockets import LOOPBACK

CARD = "4242424242424242"  # Stripe's test card that always pays
_TIME_OUT = 30.0  # seconds


def pays_at_sandbox() -> bool:
    """Whether Stripe is the stand-in on this machine, where no real money moves."""
    return urlsplit(getattr(settings, "STRIPE_API_HOST", "")).hostname == LOOPBACK


def buy_plan(*, at: datetime) -> None:
    """Put the tenant's account on its plan by Checkout, unless it has been there.

    A subscription that somebody cancelled stays so. What is gone with the stand-in's store is given up first, by
    whoever had it, and this tenant's is bought again. Raises SandboxError where Stripe is the real one.
    """
    if not pays_at_sandbox():
        raise SandboxError("The demo buys nothing at the real Stripe.")
    account = BillingAccount.objects.get(tenant__slug=PAYING_TENANT, is_default=True)
    reconcile(at=at)
    if not _has_subscribed(account.id):
        session_id = _open_page(account.id, at)
        _press_pay(session_id)
        sync_checkout(session_id=session_id, at=at)


def _has_subscribed(account_id: UUID) -> bool:
    customer, client = StripeCustomer.objects.filter(account_id=account_id).first(), stripe_client()
    if customer is None or read_customer(client, customer.customer_id) is None:
        return False
    return bool(read_subscriptions(client, customer.customer_id))


def _open_page(account_id: UUID, at: datetime) -> str:
    """A Checkout page for the plan; its id at Stripe."""
    opened = open_plan_checkout(
        account_id=account_id,
        plan_slug=PAYING_PLAN,
        interval="monthly",
        variant="standard",
        seats=1,
        success_url=settings.QUAESTOR_ORIGIN,
        cancel_url=settings.QUAESTOR_ORIGIN,
        idempotency_key="",
        at=at,
    )
    return CheckoutSession.objects.get(id=decode_id("chk", opened.id)).session_id


def _press_pay(session_id: str) -> None:
    """What the button on the hosted page does."""
    connection = http.client.HTTPConnection(urlsplit(settings.STRIPE_API_HOST).netloc, timeout=_TIME_OUT)
    try:
        connection.request("POST", f"/_sandbox/checkout/{session_id}", json.dumps({"card": CARD}))
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise SandboxError(f"The sandbox's Checkout page answered {answer.status}: {text}")
