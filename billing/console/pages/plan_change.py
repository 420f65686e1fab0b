"""The page before a change of plan: what it costs now and then, what is gained and lost, and the button for it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from billing.console.pages.comparison import Comparison, differences
from billing.console.pages.plan_cards import PlanCard, PriceRow, plan_card
from billing.console.pages.present_plan import PresentPlan, present_plan, total_of
from billing.core.periods import boundary
from billing.core.problems import Problem
from billing.plans.models import PlanPrice
from billing.plans.queries import listed_models
from billing.stripe_sync.changes import ChangePreview, Target
from billing.stripe_sync.client import is_configured
from billing.subscriptions.errors import UnknownPlan
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.offers import offers_to
from billing.subscriptions.queries import governing_agreement

_MONTHS = {PlanPrice.Interval.MONTHLY.value: 1, PlanPrice.Interval.YEARLY.value: 12}


class Step(StrEnum):
    """What stands between the account and the plan that it wants."""

    CHECKOUT = "checkout"  # a first paid plan: the card is asked for at Stripe
    CHANGE = "change"  # another paid plan, prorated
    CANCEL = "cancel"  # a free plan when the paid period ends
    AT_ONCE = "at_once"  # nothing to pay and nothing to wait for
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class PlanChangePage:
    """`total` is what an interval of the target costs in `currency`; `next_at` when the second one is charged.

    `preview` is there for a change, unless Stripe failed to make it: then `problem` says why. `key` makes a button that
    is pressed twice do one thing.
    """

    step: Step
    target: Target
    card: PlanCard
    price: PriceRow
    currency: str
    total: Decimal
    next_at: datetime
    present: PresentPlan | None
    differences: Comparison | None
    is_configured: bool
    key: str
    preview: ChangePreview | None = None
    problem: Problem | None = None

    @property
    def terms(self) -> str:
        return self.price.terms

    @property
    def is_same_plan(self) -> bool:
        return self.present is not None and self.present.card.slug == self.card.slug

    @property
    def summary(self) -> str:
        """The target in words, for the message after the change."""
        keys = ", on your own keys" if self.target.variant == PlanPrice.Variant.BYOK else ""
        seats = f", {self.target.seats} seats" if self.price.per_seat else ""
        interval = "" if self.card.is_free else f", {self.target.interval}"
        return f"you are on {self.card.name}{interval}{seats}{keys}"

    @property
    def amount_due(self) -> Decimal:
        """What is charged the moment that the change is confirmed."""
        return max(self.preview.net, Decimal(0)) if self.preview is not None else Decimal(0)

    @property
    def amount_credited(self) -> Decimal:
        """What the next invoice is lower by."""
        return max(-self.preview.net, Decimal(0)) if self.preview is not None else Decimal(0)

    @property
    def pending_amount(self) -> Decimal:
        """What earlier changes left for the next invoice, without its sign."""
        return abs(self.preview.pending) if self.preview is not None else Decimal(0)

    @property
    def tax_amount(self) -> Decimal:
        """The tax of what the change costs, without its sign."""
        return abs(self.preview.tax) if self.preview is not None else Decimal(0)


def plan_change_page(account: BillingAccount, wanted: Target, at: datetime, *, key: str) -> PlanChangePage:
    """What the way from the present plan to the wanted one is. Raises UnknownPlan for what is not offered."""
    offers, agreement, models = offers_to(account.id, at), governing_agreement(account.id), listed_models(at)
    cards = {version.plan.slug: plan_card(version, models) for version in offers.plans}
    card, price = _offered(cards.get(wanted.plan_slug), wanted)
    target = Target(card.slug, price.interval, price.variant, wanted.seats if price.per_seat else 1)
    present = None
    if offers.subscription is not None and offers.current is not None:
        present = present_plan(offers.subscription, cards[offers.current.plan.slug], agreement, offers.plans)
    return PlanChangePage(
        step=_step(target, card, present),
        target=target,
        card=card,
        price=price,
        currency=price.currency,
        total=total_of(price, target.seats) or Decimal(0),
        next_at=boundary(at, 1, _MONTHS[price.interval]),
        present=present,
        differences=differences(present.card, card) if present is not None and present.card != card else None,
        is_configured=is_configured(),
        key=key,
    )


def _offered(card: PlanCard | None, wanted: Target) -> tuple[PlanCard, PriceRow]:
    """The price that the page showed for the combination: see `PlanCard.cells`. Custom plans are not sold here."""
    if card is not None and not card.is_custom:
        for cell in card.cells:
            if cell.price is not None and (cell.interval, cell.variant) == (wanted.interval, wanted.variant):
                return card, cell.price
    raise UnknownPlan(f"The plan “{wanted.plan_slug}” is not offered {wanted.interval} as {wanted.variant}.")


def _step(target: Target, card: PlanCard, present: PresentPlan | None) -> Step:
    has_agreement = present is not None and bool(present.status)
    if present is not None and _is_present(target, present):
        return Step.UNCHANGED
    if card.is_free:
        return Step.CANCEL if has_agreement else Step.AT_ONCE
    if has_agreement:
        return Step.CHANGE
    # What staff gave may be switched and made smaller by its owner; more of it has to be paid for.
    is_given = present is not None and present.card.slug == card.slug and target.seats <= present.seats
    return Step.AT_ONCE if is_given else Step.CHECKOUT


def _is_present(target: Target, present: PresentPlan) -> bool:
    seats = target.seats if present.card.per_seat else present.seats
    return (target.plan_slug, target.interval, target.variant, seats) == (
        present.card.slug,
        present.interval,
        present.variant,
        present.seats,
    )
