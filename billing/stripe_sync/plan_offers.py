"""Which price an account asks for, and why it cannot have it: the problems that a request is answered with (P2)."""

from billing.core.problems import FieldError, Problem, problem
from billing.plans.models import PlanPrice, PlanVersion
from billing.stripe_sync.changes import PricePoint, Target
from billing.subscriptions.errors import UnknownPlan
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import offered_version

MOST_SEATS = 10_000


def offered_to(account: BillingAccount, target: Target) -> PlanVersion:
    """The published version of the plan that somebody wants, for sale to this account on these terms.

    Raises Problem: not-found for an unknown plan, interval or variant, or one that staff agree on with the customer;
    invalid-request for another currency or an impossible number of seats.
    """
    try:
        version = offered_version(plan_slug=target.plan_slug, interval=target.interval, variant=target.variant)
    except UnknownPlan as error:
        raise problem("not-found", str(error), remedy="Choose one of the plans on the plans page.") from None
    if version.plan.is_custom:
        raise problem(
            "not-found",
            f"The plan “{version.plan.name}” is not sold by itself: its terms are agreed with each customer.",
            remedy="Contact us for an offer.",
        )
    if version.currency != account.currency:
        raise _invalid("plan_slug", f"The plan is priced in {version.currency}, the account is in {account.currency}.")
    return version


def price_in(version: PlanVersion, target: Target) -> PlanPrice:
    """The version's price for the target; of a plan that costs nothing, the one of either interval.

    Raises Problem: not-found, invalid-request for an impossible number of seats.
    """
    if target.interval not in PlanPrice.Interval.values:
        raise problem("not-found", f"No plan is billed “{target.interval}”.", remedy="Choose monthly or yearly.")
    prices = PlanPrice.objects.filter(version=version, variant=target.variant).select_related("version__plan")
    exact = prices.filter(interval=target.interval).first()
    price = exact or prices.filter(amount=0).first()
    if price is None or (exact is None and is_paid(version)):
        name = version.plan.slug
        raise problem("not-found", f"The plan “{name}” has no {target.interval} price for {target.variant}.")
    check_seats(price, target.seats)
    return price


def check_seats(price: PlanPrice, seats: int) -> None:
    """Raises Problem: invalid-request, with what is wrong with `seats`."""
    if not 1 <= seats <= MOST_SEATS:
        raise _invalid("seats", f"A plan has 1 to {MOST_SEATS} seats.")
    if seats > 1 and not price.per_seat:
        raise _invalid("seats", f"The plan “{price.version.plan.name}” is not sold by seats: ask for one.")


def is_paid(version: PlanVersion) -> bool:
    """Whether any price of the version is more than nothing."""
    return version.prices.filter(amount__gt=0).exists()


def price_point(price: PlanPrice, seats: int) -> PricePoint:
    """A price as it is shown."""
    return PricePoint(
        amount=price.amount,
        per_seat=price.per_seat,
        total=price.amount * (seats if price.per_seat else 1),
        currency=price.version.currency,
        interval=price.interval,
        variant=price.variant,
    )


def _invalid(field: str, detail: str) -> Problem:
    return problem("invalid-request", detail, errors=(FieldError(field, "invalid", detail),))
