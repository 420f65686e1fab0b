"""The account's plan as it stands: what it costs, when it renews or ends, and what is wrong with its payment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing.console.pages.plan_cards import PlanCard, PriceRow
from billing.plans.models import PlanPrice, PlanVersion
from billing.subscriptions.agreements import grace_ends_at
from billing.subscriptions.models import Agreement, Subscription
from billing.subscriptions.queries import governing_agreement

_OTHER_VARIANT = {
    PlanPrice.Variant.STANDARD.value: PlanPrice.Variant.BYOK.value,
    PlanPrice.Variant.BYOK.value: PlanPrice.Variant.STANDARD.value,
}


@dataclass(frozen=True, slots=True)
class PaymentNotice:
    """What a member has to know of the paid plan on every page that speaks of money.

    Where a renewal is unpaid, `access_ends_at` is the end of grace (S8) and `grace_is_over` whether it has passed;
    `cancel_at` is when the plan ends instead of renewing.
    """

    plan_name: str
    is_overdue: bool
    access_ends_at: datetime | None
    grace_is_over: bool
    cancel_at: datetime | None


@dataclass(frozen=True, slots=True)
class PresentPlan:
    """`status` is the agreement's, empty without one: a free plan, or a paid one that staff gave.

    `total` is what an interval costs, for all seats, in `currency`; None where it was agreed by word.
    """

    card: PlanCard
    interval: str
    variant: str
    seats: int
    currency: str
    price: PriceRow | None
    status: str
    renews_at: datetime | None
    cancel_at: datetime | None
    follows: str
    other_variant: PriceRow | None
    fallback_slug: str

    @property
    def terms(self) -> str:
        return f"{self.interval}-{self.variant}"

    @property
    def total(self) -> Decimal | None:
        return total_of(self.price, self.seats)


def total_of(price: PriceRow | None, seats: int) -> Decimal | None:
    """What one interval costs."""
    if price is None:
        return None
    return price.amount * seats if price.per_seat else price.amount


def payment_notice(account_id: UUID, at: datetime) -> PaymentNotice | None:
    """What to tell of the account's agreement, if anything; one query."""
    agreement = governing_agreement(account_id)
    return notice_of(agreement, at) if agreement is not None else None


def notice_of(agreement: Agreement, at: datetime) -> PaymentNotice | None:
    """None where the payments are in order and the plan renews."""
    ends_at = grace_ends_at(agreement)
    if ends_at is None and agreement.cancel_at is None:
        return None
    return PaymentNotice(
        plan_name=agreement.plan_version.plan.name,
        is_overdue=ends_at is not None,
        access_ends_at=ends_at,
        grace_is_over=ends_at is not None and ends_at <= at,
        cancel_at=agreement.cancel_at,
    )


def present_plan(
    subscription: Subscription,
    card: PlanCard,
    agreement: Agreement | None,
    offered: Sequence[PlanVersion],
) -> PresentPlan:
    """What a loaded subscription, with the agreement that governs it, comes to. `offered` are the plans on offer."""
    follows = _fallback(subscription, agreement, offered)
    other = card.price(subscription.interval, _OTHER_VARIANT[subscription.variant])
    return PresentPlan(
        card=card,
        interval=subscription.interval,
        variant=subscription.variant,
        seats=subscription.seats,
        currency=subscription.plan_version.currency,
        price=card.price(subscription.interval, subscription.variant),
        status=agreement.status if agreement is not None else "",
        renews_at=agreement.period_end if agreement is not None and agreement.cancel_at is None else None,
        cancel_at=agreement.cancel_at if agreement is not None else None,
        follows=follows.plan.name if follows is not None else "",
        other_variant=other if not card.is_free else None,
        fallback_slug=follows.plan.slug if follows is not None and not card.is_free else "",
    )


def _fallback(
    subscription: Subscription, agreement: Agreement | None, offered: Sequence[PlanVersion]
) -> PlanVersion | None:
    """The free plan that comes after: the one that was chosen when it was canceled, else the catalogue's default."""
    chosen = agreement.next_plan_slug if agreement is not None else ""
    catalogue = subscription.plan_version.plan.catalogue
    named = (version for version in offered if chosen and version.plan.slug == chosen)
    usual = (version for version in offered if version.plan.is_default and version.plan.catalogue == catalogue)
    return next(named, None) or next(usual, None)
