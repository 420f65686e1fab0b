"""The plans page: what the account has, what each plan on offer costs and includes, and how to get there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.conf import settings

from billing.console.pages.comparison import Comparison, compare
from billing.console.pages.plan_cards import PlanCard, best_saving, plan_card
from billing.console.pages.present_plan import PaymentNotice, PresentPlan, notice_of, present_plan
from billing.console.queries import open_plan_checkout_of
from billing.plans.models import PlanPrice
from billing.plans.queries import listed_models
from billing.stripe_sync.client import is_configured
from billing.stripe_sync.models import CheckoutSession
from billing.subscriptions.models import Agreement, BillingAccount
from billing.subscriptions.offers import Offers, offers_to
from billing.subscriptions.queries import governing_agreement

_FAMILY_NAMES = {
    "tiers": "Tiers",
    "credits": "Credits",
    "tokens": "Token allowances",
    "platform": "Platform fee, on your own keys",
}


@dataclass(frozen=True, slots=True)
class PlanFamily:
    """Plans that a customer chooses among, and what tells them apart where there are several."""

    name: str
    plans: Sequence[PlanCard]
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class OpenPurchase:
    """A plan whose Checkout page was opened and not paid; the page is there until `expires_at`."""

    plan_name: str
    interval: str
    url: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlansPage:
    """`current_version` is the one that the account is on, `newer_version` what new subscribers of its plan get.

    `interval` and `variant` are what the switches begin with; `is_configured` tells whether anything can be paid.
    `contact` is where to write for a plan that is not sold here. The savings are the best of any plan, in percent.
    """

    current_plan_slug: str
    current_version: int
    newer_version: int | None
    families: Sequence[PlanFamily]
    present: PresentPlan | None
    notice: PaymentNotice | None
    open_purchase: OpenPurchase | None
    interval: str
    variant: str
    yearly_saving: int
    own_keys_saving: int
    is_configured: bool
    contact: str


def plans_page(account: BillingAccount, at: datetime) -> PlansPage:
    """The public plans, and the account's own if it is hidden."""
    offers, agreement = offers_to(account.id, at), governing_agreement(account.id)
    models = listed_models(at)
    cards = {version.plan.slug: plan_card(version, models) for version in offers.plans}
    slug, number = (offers.current.plan.slug, offers.current.number) if offers.current else ("", 0)
    present = _present(offers, cards, agreement)
    families = [
        _family(catalogue, [cards[version.plan.slug] for version in group])
        for catalogue, group in groupby(offers.plans, key=lambda version: version.plan.catalogue)
    ]
    families.sort(key=lambda family: all(plan.slug != slug for plan in family.plans))
    return PlansPage(
        slug,
        number,
        offers.newer_number,
        families,
        present=present,
        notice=notice_of(agreement, at) if agreement is not None else None,
        open_purchase=_open_purchase(open_plan_checkout_of(account.id, at) if agreement is None else None),
        interval=present.interval if present is not None else PlanPrice.Interval.MONTHLY,
        variant=present.variant if present is not None else PlanPrice.Variant.STANDARD,
        yearly_saving=best_saving(cards.values(), lambda price: price.yearly_percent),
        own_keys_saving=best_saving(cards.values(), lambda price: price.own_keys_percent),
        is_configured=is_configured(),
        contact=settings.CONTACT_EMAIL,
    )


def _present(offers: Offers, cards: dict[str, PlanCard], agreement: Agreement | None) -> PresentPlan | None:
    if offers.subscription is None or offers.current is None:
        return None
    return present_plan(offers.subscription, cards[offers.current.plan.slug], agreement, offers.plans)


def _family(catalogue: str, cards: Sequence[PlanCard]) -> PlanFamily:
    name = _FAMILY_NAMES.get(catalogue, catalogue.replace("-", " ").capitalize())
    return PlanFamily(name, cards, compare(cards) if len(cards) > 1 else None)


def _open_purchase(checkout: CheckoutSession | None) -> OpenPurchase | None:
    if checkout is None or checkout.plan_price is None:
        return None
    price = checkout.plan_price
    return OpenPurchase(price.version.plan.name, price.interval, checkout.url, checkout.expires_at)
