from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import stripe

from billing.core.money import to_minor_units
from billing.credits.models import TopUp
from billing.credits.services.open_top_up import open_top_up
from billing.stripe_sync.checkout_pages import PageRequest, known_page, noted_page, opened_page, page_is_closed
from billing.stripe_sync.client import asking_stripe
from billing.stripe_sync.models import CheckoutSession, StripeCustomer
from billing.stripe_sync.return_urls import require_allowed
from billing.stripe_sync.services.ensure_customer import ensure_customer
from billing.stripe_sync.top_ups import TopUpQuote, quote_top_up
from billing.subscriptions.models import BillingAccount

_State = CheckoutSession.State


@dataclass(frozen=True, slots=True)
class OpenedTopUp:
    """Where a purchase of credits is paid, or was; amounts in the account's currency. `id` is the purchase's."""

    id: UUID
    url: str
    amount: Decimal
    fee: Decimal
    total: Decimal
    is_paid: bool


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

    The same key gives the same purchase again, also once it is paid; an empty key is none. Raises Problem:
    invalid-request, billing-return-url-not-allowed, idempotency-conflict for another purchase or a page that expired,
    stripe-not-configured, stripe-unavailable.
    """
    require_allowed(success_url)
    require_allowed(cancel_url)
    account = BillingAccount.objects.select_related("credits").get(id=account_id)
    quote = quote_top_up(amount, account.currency)
    asked = PageRequest(account_id, idempotency_key, f"{quote.amount} {success_url} {cancel_url}", at)
    with asking_stripe(doing="open the payment page") as client:
        row = known_page(asked)
        if row is None or row.state == _State.OPENING:
            ensure_customer(account_id=account_id, at=at)
            row = noted_page(asked, lambda: _noted(asked, account, quote), reuse_similar=False)
            row = opened_page(row, _opening(client, row, success_url=success_url, cancel_url=cancel_url))
    return _opened(row)


def _noted(asked: PageRequest, account: BillingAccount, quote: TopUpQuote) -> CheckoutSession:
    top_up = open_top_up(account_id=account.credits_id, amount=quote.amount, fee=quote.fee, at=asked.at)
    return CheckoutSession.objects.create(
        account=account,
        top_up=top_up,
        idempotency_key=asked.key,
        request_digest=asked.digest,
        created_at=asked.at,
    )


def _opening(
    client: stripe.StripeClient, row: CheckoutSession, *, success_url: str, cancel_url: str
) -> Callable[[StripeCustomer], stripe.checkout.Session]:
    return lambda customer: _open(client, row, customer, success_url=success_url, cancel_url=cancel_url)


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


def _opened(row: CheckoutSession) -> OpenedTopUp:
    if row.state == _State.EXPIRED:
        raise page_is_closed(row)
    top_up = _top_up_of(row)
    is_paid = row.state == _State.COMPLETE
    return OpenedTopUp(top_up.id, row.url, top_up.amount, top_up.fee, top_up.total, is_paid)


def _top_up_of(checkout: CheckoutSession) -> TopUp:
    if checkout.top_up is None:
        raise ValueError(f"The page {checkout.id} is not for credits.")
    return checkout.top_up
