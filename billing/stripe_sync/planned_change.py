"""What kind of change leads an account to the terms that it wants (P10)."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from uuid import UUID

from billing.core.problems import Problem, problem
from billing.plans.models import PlanPrice, PlanVersion
from billing.stripe_sync.changes import Target
from billing.stripe_sync.plan_offers import is_paid, offered_to, price_in
from billing.subscriptions.agreements import latest_subscription
from billing.subscriptions.models import Agreement, BillingAccount, Subscription
from billing.subscriptions.queries import governing_agreement
from billing.subscriptions.services.subscribe import anchor_on
from billing.subscriptions.state import PlanTerms


class Kind(Enum):
    """How the change is made."""

    PRORATED = auto()  # the subscription at Stripe gets another price or quantity
    AT_PERIOD_END = auto()  # it ends with its period, and a free plan follows
    LOCAL = auto()  # nothing is paid at Stripe: the change is ours alone


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A change that is possible. `agreement` is there unless it is local."""

    kind: Kind
    account: BillingAccount
    price: PlanPrice
    seats: int
    agreement: Agreement | None
    present: Subscription | None

    @property
    def is_made(self) -> bool:
        """Whether the account, as we know it, is on these terms already."""
        wanted = (self.price.version_id, self.price.interval, self.price.variant, self.seats)
        if self.agreement is None:
            return self.present is not None and wanted == _terms(self.present)
        if self.kind is Kind.AT_PERIOD_END:
            return self.agreement.cancel_at is not None and self.agreement.next_plan_slug == self.plan_slug
        return wanted == _terms(self.agreement)

    @property
    def plan_slug(self) -> str:
        return self.price.version.plan.slug

    def local_terms(self, at: datetime) -> PlanTerms:
        """What a local change puts the account on; allowances of the same plan are counted on as they were."""
        version = self.price.version
        if self.present is not None and self.present.plan_version.plan_id == version.plan_id:
            anchor = self.present.anchor
        else:
            anchor = anchor_on(version, signed_up_at=self.account.signed_up_at, at=at)
        return PlanTerms(version.id, self.price.interval, self.price.variant, self.seats, anchor)


def planned_change(account_id: UUID, target: Target) -> PlannedChange:
    """How the account gets to the target.

    Raises Problem: not-found, invalid-request, no-subscription where a Checkout is needed, card-declined while the last
    payment is overdue.
    """
    account = BillingAccount.objects.select_related("tenant").get(id=account_id)
    agreement, present = governing_agreement(account_id), latest_subscription(account_id)
    price = price_in(_version(account, agreement or present, target), target)
    kind = _kind(price, target, agreement, present)
    if kind is Kind.PRORATED and agreement is not None and agreement.status == Agreement.Status.PAST_DUE:
        raise problem(
            "card-declined",
            "The last payment is overdue: the plan can be changed once it has arrived.",
            remedy="Update the card, or pay the open invoice, in the billing portal.",
        )
    return PlannedChange(kind, account, price, target.seats, agreement, present)


def nothing_to_change() -> Problem:
    return problem("nothing-to-change", "The account is on these terms already.")


def no_subscription() -> Problem:
    return problem(
        "no-subscription",
        "The account pays for no plan by card.",
        remedy="Open a Checkout for the plan; to change what was agreed with us, contact us.",
    )


def _version(account: BillingAccount, current: Agreement | Subscription | None, target: Target) -> PlanVersion:
    """The version that the account is on, for a change within its plan; a new plan comes in the published one."""
    if current is not None and current.plan_version.plan.slug == target.plan_slug:
        version = current.plan_version
        prices = version.prices.filter(variant=target.variant)
        if not is_paid(version) or prices.filter(interval=target.interval).exists():
            return version if prices.exists() else offered_to(account, target)
    return offered_to(account, target)


def _kind(price: PlanPrice, target: Target, agreement: Agreement | None, present: Subscription | None) -> Kind:
    if agreement is not None:
        return Kind.PRORATED if is_paid(price.version) else Kind.AT_PERIOD_END
    if not is_paid(price.version):
        return Kind.LOCAL
    is_given = present is not None and present.plan_version.plan_id == price.version.plan_id
    # What staff gave may be switched and made smaller by its owner; more of it has to be paid for.
    if present is not None and is_given and target.seats <= present.seats:
        return Kind.LOCAL
    raise no_subscription()


def _terms(thing: Agreement | Subscription) -> tuple[UUID, str, str, int]:
    return thing.plan_version_id, thing.interval, thing.variant, thing.seats
