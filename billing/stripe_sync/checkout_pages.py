"""Hosted Checkout pages, for plans and for credits alike: a request is one page, however often it is sent (S2)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import stripe
from django.db import transaction

from billing.core.problems import Problem, problem
from billing.stripe_sync.models import CheckoutSession, StripeCustomer
from billing.stripe_sync.reading import instant
from billing.stripe_sync.services.sync_checkout import sync_checkout
from billing.stripe_sync.services.sync_customer import lock_customer

_State = CheckoutSession.State
_MOMENTS = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A wish for a page. `said` is all that makes it another one, `key` the caller's and empty where there is none."""

    account_id: UUID
    key: str
    said: str
    at: datetime

    @property
    def digest(self) -> str:
        return sha256(self.said.encode()).hexdigest()


@transaction.atomic
def known_page(asked: PageRequest) -> CheckoutSession | None:
    """The page that the key was used for before, as Stripe has it by now if it was opened.

    It waits for whoever opens or closes a page of the account. Raises Problem: idempotency-conflict for another
    request; stripe.StripeError.
    """
    lock_customer(asked.account_id)
    row = _of_key(asked)
    return _read_again(row, asked.at) if row is not None else None


@transaction.atomic
def similar_plan_page(asked: PageRequest) -> CheckoutSession | None:
    """The page of the same wish for a plan, made moments ago and not over, where neither came with a key."""
    lock_customer(asked.account_id)
    row = _similar(asked)
    return _read_again(row, asked.at) if row is not None else None


@transaction.atomic
def noted_page(asked: PageRequest, note: Callable[[], CheckoutSession], *, reuse_similar: bool) -> CheckoutSession:
    """The row that Stripe is asked under, committed before it is; of requests at once for one page all get the same.

    Raises Problem: idempotency-conflict.
    """
    lock_customer(asked.account_id)
    similar = _similar(asked) if reuse_similar else None
    return _of_key(asked) or similar or note()


@transaction.atomic
def opened_page(
    row: CheckoutSession, open_at_stripe: Callable[[StripeCustomer], stripe.checkout.Session]
) -> CheckoutSession:
    """Open the page, unless it was meanwhile or has been overtaken: see its state. Raises stripe.StripeError.

    The customer stays locked during the call: whoever asks for the same page waits for this answer.
    """
    customer = lock_customer(row.account_id)
    if customer is None:
        raise problem("account-changed", "The account's customer at Stripe is gone; try again.", retry_after=1)
    row.refresh_from_db()
    if row.state == _State.OPENING:
        session = open_at_stripe(customer)
        row.session_id, row.url, row.state = session.id, session.url or "", _State.OPEN
        row.expires_at = instant(session.expires_at)
        row.save()
    return row


def page_is_closed(row: CheckoutSession) -> Problem:
    """What whoever asked for a page is told once nobody can pay on it."""
    if not row.idempotency_key:
        return problem(
            "account-changed",
            "Another payment page was opened for this account at the same time, and this one is closed.",
            remedy="Pay on that page, or ask for this one again.",
            retry_after=1,
        )
    return used_up("The payment page of this key is closed: its time is over, or a newer page replaced it.")


def used_up(detail: str) -> Problem:
    """A key that leads nowhere any more."""
    return problem("idempotency-conflict", detail, remedy="Open a new page under a new key.")


def _of_key(asked: PageRequest) -> CheckoutSession | None:
    rows = CheckoutSession.objects.select_related("top_up")
    row = rows.filter(account_id=asked.account_id, idempotency_key=asked.key).first() if asked.key else None
    if row is not None and row.request_digest != asked.digest:
        raise problem(
            "idempotency-conflict",
            "The Idempotency-Key was used for another request.",
            remedy="Use a new key for a new request.",
        )
    return row


def _similar(asked: PageRequest) -> CheckoutSession | None:
    if asked.key:
        return None
    return CheckoutSession.objects.filter(
        account_id=asked.account_id,
        idempotency_key="",
        request_digest=asked.digest,
        plan_price__isnull=False,
        state__in=[_State.OPENING, _State.OPEN],
        created_at__gt=asked.at - _MOMENTS,
    ).first()


def _read_again(row: CheckoutSession, at: datetime) -> CheckoutSession:
    """It may have been paid or closed, and nobody has told us yet."""
    if row.state == _State.OPEN:
        sync_checkout(session_id=row.session_id, at=at)
        row.refresh_from_db()
    return row
