"""Buying credits by card: what an amount comes to with the fee, and the purchases so far (M4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from billing.console.payment_forms import TopUpForm
from billing.console.queries import top_ups_of
from billing.core.problems import Problem
from billing.credits.models import TopUp
from billing.stripe_sync.client import is_configured
from billing.stripe_sync.models import CheckoutSession
from billing.stripe_sync.top_ups import fee_of
from billing.subscriptions.models import BillingAccount

PURCHASES = 5
SUGGESTED = "50"
_PRESETS = (Decimal(25), Decimal(50), Decimal(100), Decimal(250))


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase; `pay_url` is its Checkout page while that can still be paid. Amounts in `currency`."""

    state: str
    amount: Decimal
    fee: Decimal
    total: Decimal
    taken_back: Decimal
    currency: str
    created_at: datetime
    pay_url: str
    pay_until: datetime | None


@dataclass(frozen=True, slots=True)
class TopUpPanel:
    """The form with an amount, and what it comes to: `fee` and `total` are None while the amount will not do.

    `key` makes a button that is pressed twice open one payment page.
    """

    is_configured: bool
    form: TopUpForm
    presets: Sequence[Decimal]
    fee_percent: Decimal
    currency: str
    key: str
    amount: Decimal | None
    fee: Decimal | None
    total: Decimal | None
    problem: Problem | None = None


def top_up_panel(account: BillingAccount, form: TopUpForm, *, key: str, problem: Problem | None = None) -> TopUpPanel:
    """The quote for what the form holds; no query."""
    amount = form.amount()
    fee = fee_of(amount, account.currency) if amount is not None else None
    return TopUpPanel(
        is_configured=is_configured(),
        form=form,
        presets=[preset for preset in _PRESETS if settings.TOPUP_MINIMUM <= preset <= settings.TOPUP_MAXIMUM],
        fee_percent=settings.TOPUP_FEE_PERCENT,
        currency=account.currency,
        key=key,
        amount=amount,
        fee=fee,
        total=amount + fee if amount is not None and fee is not None else None,
        problem=problem,
    )


def purchases(account: BillingAccount, at: datetime) -> list[Purchase]:
    """The newest purchases; one query."""
    return [_purchase(top_up, at) for top_up in top_ups_of(account, limit=PURCHASES)]


def _purchase(top_up: TopUp, at: datetime) -> Purchase:
    checkout = _payable(top_up, at)
    return Purchase(
        state=top_up.state if checkout is not None or top_up.state != TopUp.State.OPEN else TopUp.State.EXPIRED,
        amount=top_up.amount,
        fee=top_up.fee,
        total=top_up.total,
        taken_back=top_up.taken_back,
        currency=top_up.currency,
        created_at=top_up.created_at,
        pay_url=checkout.url if checkout is not None else "",
        pay_until=checkout.expires_at if checkout is not None else None,
    )


def _payable(top_up: TopUp, at: datetime) -> CheckoutSession | None:
    """The page where an open purchase can be paid; none where it never opened or its time is over."""
    checkout: CheckoutSession | None = getattr(top_up, "checkout", None)
    if top_up.state != TopUp.State.OPEN or checkout is None or checkout.state != CheckoutSession.State.OPEN:
        return None
    return checkout if checkout.expires_at is None or checkout.expires_at > at else None
