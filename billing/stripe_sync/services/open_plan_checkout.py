from datetime import datetime
from hashlib import sha256
from uuid import UUID

import stripe
from django.db import IntegrityError, transaction

from billing.core.ids import encode_id
from billing.core.problems import Problem, problem
from billing.plans.models import PlanPrice
from billing.stripe_sync.changes import OpenedCheckout, Target
from billing.stripe_sync.client import asking_stripe
from billing.stripe_sync.models import CheckoutSession, StripeMeter
from billing.stripe_sync.plan_offers import is_paid, offered_to, price_in
from billing.stripe_sync.reading import instant
from billing.stripe_sync.return_urls import require_allowed
from billing.stripe_sync.services.ensure_customer import ensure_customer
from billing.stripe_sync.services.expire_checkouts import expire_checkouts
from billing.stripe_sync.services.push_version import price_at_stripe
from billing.stripe_sync.services.sync_customer import lock_customer, sync_customer
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

    The same key gives the same page again as long as it is open; an empty key is nobody's. Raises Problem: not-found,
    invalid-request, billing-return-url-not-allowed, nothing-to-pay, subscription-exists, idempotency-conflict,
    stripe-not-configured, stripe-unavailable.
    """
    require_allowed(success_url)
    require_allowed(cancel_url)
    price = _price(account_id, Target(plan_slug, interval, variant, seats))
    request = "\n".join((str(price.id), str(seats), success_url, cancel_url))
    with asking_stripe(doing="open the payment page") as client:
        known = _known(account_id, idempotency_key, request)
        if known is not None and known.state == _State.OPEN:
            return _opened(known)
        if _is_page_waiting(account_id):
            sync_customer(account_id=account_id, at=at)  # it may have been paid just now
        _require_no_subscription(account_id)
        price_id = price_at_stripe(plan_price=price, at=at).price_id
        ensure_customer(account_id=account_id, at=at)
        row = known or _noted(account_id, price, seats, key=idempotency_key, request=request, actor=actor, at=at)
        return _open(client, row, price_id, success_url=success_url, cancel_url=cancel_url, at=at)


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
            f"The account pays for {governing.plan_version.plan.name} already.",
            remedy="Change the plan instead, or manage it in the billing portal.",
        )


def _known(account_id: UUID, key: str, request: str) -> CheckoutSession | None:
    """What the key was used for before. Raises Problem: idempotency-conflict for anything but this, still open."""
    row = CheckoutSession.objects.filter(account_id=account_id, idempotency_key=key).first() if key else None
    if row is None:
        return None
    if row.request_digest != _digest(request):
        raise _conflict("The Idempotency-Key was used for another request.")
    return row if row.state == _State.OPENING else _require_open(row)


def _require_open(row: CheckoutSession) -> CheckoutSession:
    if row.state != _State.OPEN:
        raise _conflict("The payment page of this Idempotency-Key is closed.")
    return row


def _noted(
    account_id: UUID, price: PlanPrice, seats: int, *, key: str, request: str, actor: Actor, at: datetime
) -> CheckoutSession:
    """The row that Stripe is asked under, committed before it is. Of two at once with one key the second is refused."""
    try:
        with transaction.atomic():
            row = CheckoutSession.objects.create(
                account_id=account_id,
                plan_price=price,
                seats=seats,
                idempotency_key=key,
                request_digest=_digest(request),
                created_at=at,
            )
            record_audit(
                tenant_id=row.account.tenant_id,
                actor=actor,
                action="checkout.opened",
                target=encode_id("acc", account_id),
                at=at,
                detail={"plan": str(price.version), "price": str(price), "seats": seats},
            )
            return row
    except IntegrityError:
        raise _conflict("A request with this Idempotency-Key is under way. Send it again in a moment.") from None


@transaction.atomic
def _open(
    client: stripe.StripeClient, row: CheckoutSession, price_id: str, *, success_url: str, cancel_url: str, at: datetime
) -> OpenedCheckout:
    customer = lock_customer(row.account_id)
    if customer is None:
        raise problem("account-changed", "The account's customer at Stripe is gone; try again.", retry_after=1)
    _require_no_subscription(row.account_id)
    row.refresh_from_db()
    if row.state != _State.OPENING:  # the same request came first, and perhaps another one after it
        return _opened(_require_open(row))
    expire_checkouts(client=client, customer=customer, at=at, except_id=row.id)
    account = encode_id("acc", row.account_id)
    session = client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer.customer_id,
            "client_reference_id": account,
            "line_items": _lines(row, price_id),
            "payment_method_types": ["card"],
            "success_url": success_url,
            "cancel_url": cancel_url,
            "metadata": {"quaestor_checkout": row.id.hex},
            "subscription_data": {
                "billing_mode": {"type": "flexible"},  # lets monthly meters stand beside a yearly plan
                "metadata": {"quaestor_account": account},
            },
        },
        {"idempotency_key": f"checkout:{row.id.hex}"},
    )
    row.session_id, row.url, row.state = session.id, session.url or "", _State.OPEN
    row.expires_at = instant(session.expires_at)
    row.save()
    return _opened(row)


def _lines(row: CheckoutSession, price_id: str) -> "list[stripe.params.checkout.SessionCreateParamsLineItem]":
    """The plan and, beside a monthly one, every meter: Checkout sells one interval at a time (see complete_meters)."""
    lines: list[stripe.params.checkout.SessionCreateParamsLineItem] = [{"price": price_id, "quantity": row.seats}]
    if row.plan_price is not None and row.plan_price.interval == PlanPrice.Interval.MONTHLY:
        meters = StripeMeter.objects.filter(is_active=True, currency=row.account.currency)
        lines += [{"price": meter.price_id} for meter in meters]
    return lines


def _opened(row: CheckoutSession) -> OpenedCheckout:
    return OpenedCheckout(encode_id("chk", row.id), row.url)


def _digest(request: str) -> str:
    return sha256(request.encode()).hexdigest()


def _conflict(detail: str) -> Problem:
    return problem("idempotency-conflict", detail, remedy="Use a new key for a new request.")
