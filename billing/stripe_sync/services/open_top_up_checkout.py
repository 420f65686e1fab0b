import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import stripe
from django.db import transaction

from billing.core.money import to_minor_units
from billing.core.problems import Problem, problem
from billing.credits.models import TopUp
from billing.credits.services.open_top_up import open_top_up
from billing.stripe_sync.client import asking_stripe
from billing.stripe_sync.models import CheckoutSession, StripeCustomer
from billing.stripe_sync.reading import instant
from billing.stripe_sync.return_urls import require_allowed
from billing.stripe_sync.services.ensure_customer import ensure_customer
from billing.stripe_sync.services.sync_customer import lock_customer
from billing.stripe_sync.top_ups import TopUpQuote, quote_top_up
from billing.subscriptions.models import BillingAccount

_State = CheckoutSession.State


@dataclass(frozen=True, slots=True)
class OpenedTopUp:
    """Where a purchase of credits is paid; amounts in the account's currency. `id` is the purchase's."""

    id: UUID
    url: str
    amount: Decimal
    fee: Decimal
    total: Decimal


def open_top_up_checkout(
    *,
    account_id: UUID,
    amount: Decimal,
    success_url: str,
    cancel_url: str,
    idempotency_key: str,
    at: datetime,
) -> OpenedTopUp:
    """Open a Checkout page for credits, card only, with the fee as a line of its own (M4, S2).

    The same key gives the same page again as long as it is open; an empty key is nobody's. Raises Problem:
    invalid-request, billing-return-url-not-allowed, idempotency-conflict, stripe-not-configured, stripe-unavailable.
    """
    require_allowed(success_url)
    require_allowed(cancel_url)
    account = BillingAccount.objects.select_related("credits").get(id=account_id)
    quote = quote_top_up(amount, account.currency)
    said = f"{quote.amount} {success_url} {cancel_url}"
    with asking_stripe(doing="open the payment page") as client:
        customer = ensure_customer(account_id=account_id, at=at)
        checkout = _written_down(account, quote, idempotency_key, hashlib.sha256(said.encode()).hexdigest(), at)
        if checkout.state == _State.OPENING:
            session = _open(client, checkout, customer, success_url=success_url, cancel_url=cancel_url)
            _note(checkout, session)
    top_up = _top_up_of(checkout)
    return OpenedTopUp(top_up.id, checkout.url, top_up.amount, top_up.fee, top_up.total)


@transaction.atomic
def _written_down(account: BillingAccount, quote: TopUpQuote, key: str, digest: str, at: datetime) -> CheckoutSession:
    """Our row for the page, made before Stripe is asked; the one that the key was used for before, if it was."""
    lock_customer(account.id)  # one at a time looks for the key
    sessions = CheckoutSession.objects.select_related("top_up")
    known = sessions.filter(account=account, idempotency_key=key).first() if key else None
    if known is not None:
        _check_known(known, digest)
        return known
    top_up = open_top_up(account_id=account.credits_id, amount=quote.amount, fee=quote.fee, at=at)
    return CheckoutSession.objects.create(
        account=account, top_up=top_up, idempotency_key=key, request_digest=digest, created_at=at
    )


def _check_known(known: CheckoutSession, digest: str) -> None:
    if known.request_digest != digest:
        raise _conflict("The Idempotency-Key was used for another request.")
    if known.state not in {_State.OPENING, _State.OPEN}:
        raise _conflict("The payment page of this Idempotency-Key is closed.")


def _conflict(detail: str) -> Problem:
    return problem("idempotency-conflict", detail, remedy="Use a new key for a new request.")


def _open(
    client: stripe.StripeClient,
    checkout: CheckoutSession,
    customer: StripeCustomer,
    *,
    success_url: str,
    cancel_url: str,
) -> stripe.checkout.Session:
    top_up = _top_up_of(checkout)
    lines = [("Credits", top_up.amount), ("Platform fee", top_up.fee)]
    mark = {"quaestor_top_up": top_up.id.hex}
    return client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "ui_mode": "hosted_page",
            "payment_method_types": ["card"],
            "customer": customer.customer_id,
            "client_reference_id": checkout.id.hex,
            "line_items": [_line(name, amount, top_up.currency) for name, amount in lines if amount > 0],
            "payment_intent_data": {"description": "Credits", "metadata": mark},
            "metadata": {"quaestor_checkout": checkout.id.hex},
            "success_url": success_url,
            "cancel_url": cancel_url,
        },
        {"idempotency_key": f"checkout:{checkout.id.hex}"},
    )


def _line(name: str, amount: Decimal, currency: str) -> stripe.params.checkout.SessionCreateParamsLineItem:
    return {
        "quantity": 1,
        "price_data": {
            "currency": currency.lower(),
            "unit_amount": to_minor_units(amount, currency),
            "product_data": {"name": name},
        },
    }


def _note(checkout: CheckoutSession, session: stripe.checkout.Session) -> None:
    """Write down where the page is; whoever has read its end meanwhile keeps the last word."""
    checkout.session_id, checkout.url = session.id, session.url or ""
    checkout.expires_at = instant(session.expires_at)
    noted = {"session_id": session.id, "url": checkout.url, "expires_at": checkout.expires_at}
    CheckoutSession.objects.filter(id=checkout.id).update(**noted)
    CheckoutSession.objects.filter(id=checkout.id, state=_State.OPENING).update(state=_State.OPEN)


def _top_up_of(checkout: CheckoutSession) -> TopUp:
    if checkout.top_up is None:
        raise ValueError(f"The page {checkout.id} is not for credits.")
    return checkout.top_up
