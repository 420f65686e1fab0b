from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import stripe

from billing.core.ids import encode_id
from billing.core.problems import problem
from billing.plans.models import PlanPrice
from billing.stripe_sync.changes import OpenedCheckout, Target
from billing.stripe_sync.checkout_pages import (
    PageRequest,
    known_page,
    noted_page,
    opened_page,
    page_is_closed,
    similar_plan_page,
    used_up,
)
from billing.stripe_sync.client import asking_stripe
from billing.stripe_sync.models import CheckoutSession, StripeCustomer, StripeMeter
from billing.stripe_sync.plan_offers import is_paid, offered_to, price_in
from billing.stripe_sync.return_urls import require_allowed
from billing.stripe_sync.services.ensure_customer import ensure_customer
from billing.stripe_sync.services.expire_checkouts import expire_checkouts
from billing.stripe_sync.services.push_version import price_at_stripe
from billing.stripe_sync.services.sync_customer import sync_customer
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import governing_agreement
from tenants.services.record_audit import SYSTEM, Actor, record_audit

_State = CheckoutSession.State


def open_plan_checkout(
    *,
    account_id: UUID,
    plan_slug: str,
    interval: str,
    variant: str,
    seats: int,
    success_url: str,
    cancel_url: str,
    idempotency_key: str,
    at: datetime,
    actor: Actor = SYSTEM,
) -> OpenedCheckout:
    """Open a Checkout page at Stripe for a paid plan, by card only, and close the account's older ones (S2).

    The same key gives the same page again as long as it is open, and so does the same request without a key, moments
    later; an empty key is none. Another request closes the page. Raises Problem: not-found, invalid-request,
    billing-return-url-not-allowed, nothing-to-pay, subscription-exists, idempotency-conflict, account-changed where
    another page overtook this one while it was opened, stripe-not-configured, stripe-unavailable.
    """
    require_allowed(success_url)
    require_allowed(cancel_url)
    price = _price(account_id, Target(plan_slug, interval, variant, seats))
    said = "\n".join((str(price.id), str(seats), success_url, cancel_url))
    asked = PageRequest(account_id, idempotency_key, said, at)
    with asking_stripe(doing="open the payment page") as client:
        known = known_page(asked)
        if known is not None and known.state != _State.OPENING:
            return _opened(known)
        if _is_page_waiting(account_id):
            sync_customer(account_id=account_id, at=at)  # it may have been paid just now
            similar_plan_page(asked)
        _require_no_subscription(account_id)
        price_id = price_at_stripe(plan_price=price, at=at).price_id
        ensure_customer(account_id=account_id, at=at)
        row = noted_page(asked, lambda: _noted(asked, price, seats, actor), reuse_similar=True)
        wish = _Wish(row, price_id, success_url, cancel_url)
        return _opened(opened_page(row, lambda customer: _open(client, customer, wish, at)))


@dataclass(frozen=True, slots=True)
class _Wish:
    row: CheckoutSession
    price_id: str
    success_url: str
    cancel_url: str


def _price(account_id: UUID, target: Target) -> PlanPrice:
    account = BillingAccount.objects.get(id=account_id)
    version = offered_to(account, target)
    price = price_in(version, target)
    if not is_paid(version):
        raise problem(
            "nothing-to-pay",
            f"The plan “{version.plan.name}” costs nothing.",
            remedy="Change to it without a payment.",
        )
    return price


def _is_page_waiting(account_id: UUID) -> bool:
    pages = CheckoutSession.objects.filter(account_id=account_id, plan_price__isnull=False)
    return pages.filter(state__in=[_State.OPENING, _State.OPEN]).exists()


def _require_no_subscription(account_id: UUID) -> None:
    governing = governing_agreement(account_id)
    if governing is not None:
        raise problem(
            "subscription-exists",
            f"The account has paid for {governing.plan_version.plan.name} already.",
            remedy="Change the plan instead, or manage it in the billing portal.",
        )


def _noted(asked: PageRequest, price: PlanPrice, seats: int, actor: Actor) -> CheckoutSession:
    row = CheckoutSession.objects.create(
        account_id=asked.account_id,
        plan_price=price,
        seats=seats,
        idempotency_key=asked.key,
        request_digest=asked.digest,
        created_at=asked.at,
    )
    record_audit(
        tenant_id=row.account.tenant_id,
        actor=actor,
        action="checkout.opened",
        target=encode_id("acc", asked.account_id),
        at=asked.at,
        detail={"plan": str(price.version), "price": str(price), "seats": seats},
    )
    return row


def _open(client: stripe.StripeClient, customer: StripeCustomer, wish: _Wish, at: datetime) -> stripe.checkout.Session:
    """The account's other pages are closed first."""
    row = wish.row
    _require_no_subscription(row.account_id)
    expire_checkouts(client=client, customer=customer, at=at, except_id=row.id)
    account = encode_id("acc", row.account_id)
    return client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer.customer_id,
            "client_reference_id": account,
            "line_items": _lines(row, wish.price_id),
            "payment_method_types": ["card"],
            "success_url": wish.success_url,
            "cancel_url": wish.cancel_url,
            "metadata": {"quaestor_checkout": row.id.hex},
            "subscription_data": {
                "billing_mode": {"type": "flexible"},  # lets monthly meters stand beside a yearly plan
                "metadata": {"quaestor_account": account},
            },
        },
        {"idempotency_key": f"checkout:{row.id.hex}"},
    )


def _lines(row: CheckoutSession, price_id: str) -> "list[stripe.params.checkout.SessionCreateParamsLineItem]":
    """The plan and, beside a monthly one, every meter: Checkout sells one interval at a time (see complete_meters)."""
    lines: list[stripe.params.checkout.SessionCreateParamsLineItem] = [{"price": price_id, "quantity": row.seats}]
    if row.plan_price is not None and row.plan_price.interval == PlanPrice.Interval.MONTHLY:
        meters = StripeMeter.objects.filter(is_active=True, currency=row.account.currency)
        lines += [{"price": meter.price_id} for meter in meters]
    return lines


def _opened(row: CheckoutSession) -> OpenedCheckout:
    """Raises Problem for a page that nobody can pay on: a second payment is not asked for what is paid."""
    if row.state == _State.OPEN:
        return OpenedCheckout(encode_id("chk", row.id), row.url)
    if row.state == _State.COMPLETE:
        _require_no_subscription(row.account_id)
        raise used_up("What this key was for has been paid, and the plan has ended since.")
    raise page_is_closed(row)
