"""One fresh read of an account's subscriptions at the payment processor, taken over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from billing.plans.models import PlanVersion
from billing.subscriptions.agreements import latest_subscription
from billing.subscriptions.models import Agreement, Subscription
from billing.subscriptions.queries import governing_agreement, subscription_at
from billing.subscriptions.services.apply_state import apply_state
from billing.subscriptions.state import SubscriptionState
from tenants.models import AuditEvent
from tests.make import AT, Customer, make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
DAY = timedelta(days=1)
MONTH_END = datetime(2026, 4, 10, 12, tzinfo=UTC)


def version(slug: str) -> UUID:
    return PlanVersion.objects.get(plan__slug=slug).id


def state(external_id: str = "sub_1", plan: str = "pro", **changed: Any) -> SubscriptionState:
    made = SubscriptionState(
        external_id=external_id,
        status="active",
        plan_version_id=version(plan),
        interval="monthly",
        variant="standard",
        seats=1,
        anchor=AT,
        started_at=AT,
        period_start=AT,
        period_end=MONTH_END,
    )
    return replace(made, **changed)


def plan_of(customer: Customer, at: datetime) -> tuple[str, str, int]:
    subscription = subscription_at(customer.account.id, at)
    return subscription.plan_version.plan.slug, subscription.variant, subscription.seats


def apply(customer: Customer, *states: SubscriptionState, at: datetime) -> None:
    apply_state(account_id=customer.account.id, states=states, at=at)


def test_paid_plan_is_followed() -> None:
    """S4: plan, variant, seats and anchor are the agreement's, and what the account had ends at that instant."""
    customer, paid = make_customer("free"), AT + DAY
    apply(customer, state(plan="team", variant="byok", seats=4, anchor=paid, started_at=paid), at=paid)
    now = subscription_at(customer.account.id, paid)
    agreement = governing_agreement(customer.account.id)
    assert plan_of(customer, paid) == ("team", "byok", 4)
    assert plan_of(customer, paid - timedelta(microseconds=1)) == ("free", "standard", 1)
    assert (now.anchor, now.agreement) == (paid, agreement)


def test_second_look_writes_nothing() -> None:
    """S4: the same read again leaves subscriptions and audit log as they are."""
    customer = make_customer("free")
    apply(customer, state(), at=AT + DAY)
    before = list(Subscription.objects.values()), AuditEvent.objects.count()
    apply(customer, state(), at=AT + 2 * DAY)
    assert (list(Subscription.objects.values()), AuditEvent.objects.count()) == before


def test_vanished_agreement_has_ended() -> None:
    """S4: what the processor does not know any more gives no plan; the catalogue's default follows."""
    customer = make_customer("payg")
    apply(customer, state(plan="platform-growth"), at=AT + DAY)
    apply(customer, at=AT + 2 * DAY)
    ended = Agreement.objects.get()
    assert (ended.status, ended.ended_at, ended.governs) == ("canceled", AT + 2 * DAY, False)
    assert plan_of(customer, AT + 2 * DAY)[0] == "platform-starter"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_first_live_agreement_governs(order: tuple[int, ...]) -> None:
    """S4: whatever order they are listed in, the live one that started first wins."""
    customer = make_customer("free")
    states = [
        state("sub_old", "team", status="canceled", started_at=AT - DAY, ended_at=AT),
        state("sub_first", "pro"),
        state("sub_second", "team", started_at=AT + DAY),
    ]
    apply(customer, *(states[place] for place in order), at=AT + DAY)
    governing = governing_agreement(customer.account.id)
    assert governing is not None
    assert governing.external_id == "sub_first"
    assert plan_of(customer, AT + DAY)[0] == "pro"


def test_governing_passes_on() -> None:
    """S4: when the agreement that governs ends, another live one takes over without a free plan in between."""
    customer = make_customer("free")
    later = state("sub_2", "team", started_at=AT + DAY)
    apply(customer, state(), later, at=AT + DAY)
    apply(customer, state(status="canceled"), later, at=AT + 2 * DAY)
    slugs = Subscription.objects.order_by("starts_at").values_list("plan_version__plan__slug", flat=True)
    assert list(slugs) == ["free", "pro", "team"]


@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired", "unpaid", "paused", "canceled"])
def test_agreement_that_is_not_live_gives_nothing(status: str) -> None:
    """S4: only trial, active and overdue agreements can give a plan."""
    customer = make_customer("free")
    apply(customer, state(status=status), at=AT + DAY)
    assert governing_agreement(customer.account.id) is None
    assert plan_of(customer, AT + DAY)[0] == "free"


def test_overdue_since_the_first_look() -> None:
    """S8: the grace runs from when the payment was first seen overdue, and is forgotten when it arrives."""
    customer = make_customer("free")

    def look(status: str, at: datetime) -> datetime | None:
        apply(customer, state(status=status), at=at)
        return Agreement.objects.get().past_due_since

    since = AT + DAY
    seen = [look(status, since + days * DAY) for days, status in enumerate(("past_due", "past_due", "active"))]
    assert seen == [since, since, None]
    assert look("past_due", since + 9 * DAY) == since + 9 * DAY
    assert look("canceled", since + 12 * DAY) == since + 9 * DAY


def test_trial_extension_moves_the_period() -> None:
    """P5: extending a trial leaves the period and its counters alone; the first paid period begins with the payment."""
    customer = make_customer("free")
    for end in (AT + 14 * DAY, AT + 28 * DAY):
        apply(customer, state(status="trialing", period_end=end), at=AT)
    trial = subscription_at(customer.account.id, AT)
    assert (trial.anchor, Subscription.objects.filter(agreement__isnull=False).count()) == (AT, 1)
    paid = AT + 28 * DAY
    apply(customer, state(anchor=paid, period_start=paid, period_end=paid + 31 * DAY), at=paid)
    assert subscription_at(customer.account.id, paid).anchor == paid


def test_clock_that_lags_behind() -> None:
    """S4: a process whose clock is behind the one that wrote last still writes what it read."""
    customer = make_customer("free")
    apply(customer, state(), at=AT + DAY)
    apply(customer, state(seats=1, variant="byok"), at=AT + DAY - timedelta(milliseconds=5))
    latest = latest_subscription(customer.account.id)
    assert latest is not None
    assert (latest.variant, latest.starts_at) == ("byok", AT + DAY - timedelta(milliseconds=5))


def test_other_accounts_are_left_alone() -> None:
    """F3: what vanished from one account's read says nothing about another's."""
    one, other = make_customer("free"), make_customer("free")
    apply(one, state("sub_1"), at=AT + DAY)
    apply(other, state("sub_2"), at=AT + DAY)
    apply(other, at=AT + 2 * DAY)
    assert (plan_of(one, AT + 2 * DAY)[0], plan_of(other, AT + 2 * DAY)[0]) == ("pro", "free")
