"""What the API tells about an account's plan and about changes of it."""

from datetime import datetime

import msgspec

from billing.api.figures import Money, rate
from billing.api.views.plans import PriceAnswer
from billing.api.views.usage import PeriodAnswer
from billing.core.periods import Period, period_containing
from billing.plans.models import PlanPrice
from billing.plans.queries import default_plan_slug
from billing.stripe_sync.changes import ChangePreview, PricePoint
from billing.subscriptions.agreements import grace_ends_at
from billing.subscriptions.models import Agreement, BillingAccount, Subscription
from billing.subscriptions.queries import governing_agreement, subscription_at


class SubscriptionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An account's plan. `paid_by_card` tells whether it is paid for at Stripe; others are free or agreed with staff.

    `status` is `active` unless Stripe says otherwise of a paid one: `trialing`, `past_due`, `unpaid` or `paused`.
    `period` is what is paid for at once. `cancel_at` is when the plan ends instead of renewing, `next_plan_slug` what
    follows then. An overdue plan goes on until `grace_ends_at`; its payment is `past_due_since`.
    """

    plan_slug: str
    plan_name: str
    version: int
    billing_interval: str
    variant: str
    seats: int
    status: str
    paid_by_card: bool
    period: PeriodAnswer
    cancel_at: datetime | None
    next_plan_slug: str | None
    price: PriceAnswer | None
    past_due_since: datetime | None
    grace_ends_at: datetime | None


class ProrationAnswer(msgspec.Struct, frozen=True):
    """What a change costs: `credit` for unused time of the old terms, `charge` for the new ones.

    `pending` is what earlier changes left for the next invoice, negative where they were credits; `net` is charge less
    credit plus pending, with the `tax` of that. A positive net is charged at once, a negative one comes off the next
    invoice. `at` is when it was reckoned for; `null` where nothing is prorated.
    """

    credit: Money
    charge: Money
    pending: Money
    tax: Money
    net: Money
    currency: str
    at: datetime | None


class ChangeAnswer(msgspec.Struct, frozen=True):
    """A change before it is made. From `next_at` on, `next_amount` is due every interval, usage on top."""

    price: PriceAnswer
    proration: ProrationAnswer
    next_amount: Money
    next_at: datetime | None


def subscription_answer(account: BillingAccount, at: datetime) -> SubscriptionAnswer:
    """The account's plan as the database has it, whether Stripe answers or not. Raises NoActivePlan."""
    subscription = subscription_at(account.id, at)
    agreement = governing_agreement(account.id)
    version = subscription.plan_version
    period = _period(subscription, agreement, at)
    overdue_until = grace_ends_at(agreement) if agreement is not None else None
    ending = agreement if agreement is not None and agreement.cancel_at is not None else None
    return SubscriptionAnswer(
        plan_slug=version.plan.slug,
        plan_name=version.plan.name,
        version=version.number,
        billing_interval=subscription.interval,
        variant=subscription.variant,
        seats=subscription.seats,
        status=agreement.status if agreement is not None else Agreement.Status.ACTIVE,
        paid_by_card=agreement is not None and subscription.agreement_id == agreement.id,
        period=PeriodAnswer(period.start, period.end),
        cancel_at=ending.cancel_at if ending is not None else None,
        next_plan_slug=_next_plan_slug(ending) if ending is not None else None,
        price=_price(subscription),
        past_due_since=agreement.past_due_since if agreement is not None and overdue_until is not None else None,
        grace_ends_at=overdue_until,
    )


def _period(subscription: Subscription, agreement: Agreement | None, at: datetime) -> Period:
    if agreement is not None and subscription.agreement_id == agreement.id:
        return Period(agreement.period_start, agreement.period_end)
    return period_containing(subscription.anchor, at)


def _next_plan_slug(agreement: Agreement) -> str | None:
    return agreement.next_plan_slug or default_plan_slug(agreement.plan_version.plan.catalogue)


def _price(subscription: Subscription) -> PriceAnswer | None:
    version = subscription.plan_version
    price = PlanPrice.objects.filter(
        version=version, interval=subscription.interval, variant=subscription.variant
    ).first()
    if price is None:
        return None
    return PriceAnswer(price.interval, price.variant, version.currency, rate(price.amount), price.per_seat)


def price_answer(price: PricePoint) -> PriceAnswer:
    """A price as a change names it."""
    return PriceAnswer(price.interval, price.variant, price.currency, rate(price.amount), price.per_seat)


def proration_answer(preview: ChangePreview) -> ProrationAnswer:
    """What a change costs."""
    return ProrationAnswer(
        credit=rate(preview.credit),
        charge=rate(preview.charge),
        pending=rate(preview.pending),
        tax=rate(preview.tax),
        net=rate(preview.net),
        currency=preview.currency,
        at=preview.proration_at,
    )


def change_answer(preview: ChangePreview) -> ChangeAnswer:
    """A change before it is made."""
    return ChangeAnswer(
        price_answer(preview.price), proration_answer(preview), rate(preview.next_amount), preview.next_at
    )
