"""Agreements, Checkout pages and purchases as rows: what the pages show of them, without Stripe."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from billing.credits.models import TopUp
from billing.plans.models import PlanPrice, PlanVersion
from billing.stripe_sync.models import CheckoutSession
from billing.subscriptions.models import Agreement
from billing.subscriptions.services.apply_state import apply_state
from billing.subscriptions.state import SubscriptionState
from tests.make import AT, Customer

_numbers = count(1)
PAGE = "https://checkout.stripe.com/c/pay"
MONTH = timedelta(days=31)


def make_agreement(customer: Customer, plan_slug: str = "pro", *, at: datetime = AT, **more: object) -> Agreement:
    """A subscription at Stripe, as a fresh read shows it, which the account follows from `at` on."""
    external_id = f"sub_{next(_numbers)}"
    facts: dict[str, Any] = {
        "status": "active",
        "plan_version_id": PlanVersion.objects.get(plan__slug=plan_slug, state="published").id,
        "interval": "monthly",
        "variant": "standard",
        "seats": 1,
        "anchor": at,
        "started_at": at,
        "period_start": at,
        "period_end": at + MONTH,
    }
    state = SubscriptionState(external_id=external_id, **facts | more)
    apply_state(account_id=customer.account.id, states=[state], at=at)
    return Agreement.objects.get(external_id=external_id)


def make_plan_checkout(
    customer: Customer, plan_slug: str = "pro", *, state: str = "open", seats: int = 1, at: datetime = AT
) -> UUID:
    """A Checkout page for a plan, monthly on the platform's keys; answers the key that it was opened under."""
    price = PlanPrice.objects.get(
        version__plan__slug=plan_slug, version__state="published", interval="monthly", variant="standard"
    )
    key = uuid4()
    CheckoutSession.objects.create(
        account=customer.account,
        session_id=f"cs_{next(_numbers)}",
        plan_price=price,
        seats=seats,
        state=state,
        url=f"{PAGE}/{key}",
        idempotency_key=str(key),
        created_at=at,
        expires_at=at + timedelta(days=1),
    )
    return key


def make_purchase(customer: Customer, *, state: str = "open", taken_back: str = "0", at: datetime = AT) -> UUID:
    """$50.00 of credits with a fee of $2.50; answers the key that its Checkout page was opened under."""
    top_up = TopUp.objects.create(
        account=customer.account.credits,
        amount=Decimal(50),
        fee=Decimal("2.50"),
        currency="USD",
        state=state,
        taken_back=Decimal(taken_back),
        created_at=at,
        credited_at=at if state == "credited" else None,
    )
    key = uuid4()
    CheckoutSession.objects.create(
        account=customer.account,
        session_id=f"cs_{next(_numbers)}",
        top_up=top_up,
        state={"open": "open", "credited": "complete", "expired": "expired"}[state],
        url=f"{PAGE}/{key}",
        idempotency_key=str(key),
        created_at=at,
        expires_at=at + timedelta(days=1),
    )
    return key
