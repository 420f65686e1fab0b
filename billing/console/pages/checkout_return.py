"""The pages after Checkout: what was bought, or that nothing was charged (S2)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from billing.core.problems import Problem
from billing.credits.models import TopUp
from billing.stripe_sync.models import CheckoutSession
from billing.subscriptions.models import Agreement
from billing.subscriptions.queries import governing_agreement

MAX_LOOKS = 40  # two seconds apart


class Outcome(StrEnum):
    """How far the payment is."""

    CONFIRMING = "confirming"
    DONE = "done"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class PlanBought:
    """`renews_at` is when it is charged again."""

    name: str
    interval: str
    variant: str
    seats: int
    per_seat: bool
    renews_at: datetime | None


@dataclass(frozen=True, slots=True)
class CreditsBought:
    """Amounts in `currency`."""

    amount: Decimal
    fee: Decimal
    total: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    """`looks` counts how often the page has asked; after too many of them it stops asking by itself.

    `pay_url` is the payment page while it can still be used, `problem` why Stripe could not be asked.
    """

    key: UUID
    outcome: Outcome
    plan: PlanBought | None
    credits: CreditsBought | None
    pay_url: str
    looks: int
    problem: Problem | None

    @property
    def is_patient(self) -> bool:
        return self.looks < MAX_LOOKS


def checkout_page(
    checkout: CheckoutSession, key: UUID, at: datetime, *, looks: int = 0, problem: Problem | None = None
) -> CheckoutPage:
    """How a Checkout session stands that was opened under the key."""
    agreement = governing_agreement(checkout.account_id) if checkout.plan_price_id is not None else None
    is_open = checkout.state == CheckoutSession.State.OPEN and (not checkout.expires_at or checkout.expires_at > at)
    return CheckoutPage(
        key=key,
        outcome=_outcome(checkout, agreement),
        plan=_plan(checkout, agreement),
        credits=_credits(checkout.top_up),
        pay_url=checkout.url if is_open else "",
        looks=looks,
        problem=problem,
    )


def _outcome(checkout: CheckoutSession, agreement: Agreement | None) -> Outcome:
    """Done is what gives something: an agreement that governs, credits in the ledger."""
    if checkout.state == CheckoutSession.State.EXPIRED:
        return Outcome.EXPIRED
    if checkout.top_up is not None:
        return Outcome.DONE if checkout.top_up.state == TopUp.State.CREDITED else Outcome.CONFIRMING
    is_done = checkout.state == CheckoutSession.State.COMPLETE and agreement is not None
    return Outcome.DONE if is_done else Outcome.CONFIRMING


def _plan(checkout: CheckoutSession, agreement: Agreement | None) -> PlanBought | None:
    price = checkout.plan_price
    if price is None:
        return None
    renews_at = agreement.period_end if agreement is not None else None
    return PlanBought(price.version.plan.name, price.interval, price.variant, checkout.seats, price.per_seat, renews_at)


def _credits(top_up: TopUp | None) -> CreditsBought | None:
    if top_up is None:
        return None
    return CreditsBought(top_up.amount, top_up.fee, top_up.total, top_up.currency)
