"""Which plan an account is on while it pays, and after."""

from datetime import timedelta

import pytest

from billing.plans.models import Plan
from billing.subscriptions.errors import AgreementGoverns, UnknownPlan
from billing.subscriptions.models import Subscription
from billing.subscriptions.queries import subscription_at
from billing.subscriptions.services.assign_plan import assign_plan
from billing.subscriptions.services.follow_agreement import follow_agreement
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_customer
from tests.subscriptions.test_apply_state import DAY, apply, plan_of, state

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


@pytest.mark.parametrize(("chosen", "then"), [("", "free"), ("payg", "payg"), ("pro", "free"), ("no-such", "free")])
def test_free_plan_after_the_paid_one(chosen: str, then: str) -> None:
    """P10: the free plan that the subscriber chose, or the catalogue's default where that one is none (any more)."""
    customer = make_customer("starter")
    apply(customer, state(next_plan_slug=chosen), at=AT + DAY)
    apply(customer, state(next_plan_slug=chosen, status="canceled"), at=AT + 2 * DAY)
    after = subscription_at(customer.account.id, AT + 2 * DAY)
    assert (after.plan_version.plan.slug, after.agreement) == (then, None)
    assert after.anchor == AT.replace(hour=0)


@pytest.mark.parametrize(("plan", "variant"), [("pro", "byok"), ("developer", "standard")])
def test_own_keys_are_kept(plan: str, variant: str) -> None:
    """K11: who paid for a plan on own keys is on own keys afterwards too, where the free plan has that."""
    customer = make_customer("free")
    apply(customer, state(plan=plan, variant="byok"), at=AT + DAY)
    apply(customer, at=AT + 2 * DAY)
    assert plan_of(customer, AT + 2 * DAY)[1] == variant


def test_staffs_plan_is_left_alone() -> None:
    """S4: an account whose plan comes from no agreement keeps it, whatever ended agreements it has."""
    customer = make_customer("enterprise")
    apply(customer, state(status="canceled"), at=AT + DAY)
    follow_agreement(account_id=customer.account.id, at=AT + 2 * DAY)
    assert Subscription.objects.count() == 1
    assert plan_of(customer, AT + 2 * DAY)[0] == "enterprise"


def test_change_is_audited() -> None:
    """S4: the audit log says what the account left and what it is on now."""
    customer = make_customer("free")
    apply(customer, state(plan="team", seats=3), at=AT + DAY)
    line = AuditEvent.objects.get(action="plan.changed")
    assert (line.tenant, line.actor_user, line.at) == (customer.tenant, None, AT + DAY)
    assert line.detail == {
        "from": {"plan": "Free v1", "interval": "monthly", "variant": "standard", "seats": 1},
        "to": {"plan": "Team v1", "interval": "monthly", "variant": "standard", "seats": 3},
    }


def test_nothing_to_fall_back_to() -> None:
    """P10: where a catalogue has no free plan, whoever looks after the installation has to be told."""
    customer = make_customer("free")
    apply(customer, state(), at=AT + DAY)
    Plan.objects.filter(catalogue="tiers").update(is_default=False)
    with pytest.raises(UnknownPlan, match="no free plan"):
        apply(customer, at=AT + 2 * DAY)


def test_staff_are_told_that_an_agreement_governs() -> None:
    """S4: a plan by staff's hand is refused where the next look at the processor would undo it."""
    customer = make_customer("free")
    apply(customer, state(), at=AT + DAY)

    def assign(at_day: int) -> None:
        assign_plan(
            account_id=customer.account.id,
            plan_slug="team",
            interval="monthly",
            variant="standard",
            seats=1,
            at=AT + at_day * DAY,
            actor=SYSTEM,
        )

    with pytest.raises(AgreementGoverns, match="sub_1"):
        assign(2)
    apply(customer, state(status="canceled"), at=AT + 3 * DAY)
    assign(4)
    assert plan_of(customer, AT + 4 * DAY)[0] == "team"


def test_rollover_lost_at_renewal() -> None:
    """P5: a renewal moves the paid period and nothing else: credits stay, and the allowances' periods tile on."""
    customer = make_customer("free", balance="25")
    apply(customer, state(), at=AT)
    before = subscription_at(customer.account.id, AT)
    renewed = AT + timedelta(days=31)
    apply(customer, state(period_start=renewed, period_end=renewed + 30 * DAY), at=renewed)
    customer.account.credits.refresh_from_db()
    assert subscription_at(customer.account.id, renewed) == before
    assert customer.account.credits.available == 25
