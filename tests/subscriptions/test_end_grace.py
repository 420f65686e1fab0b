"""What happens when a payment stays away."""

from datetime import timedelta

import pytest

from billing.plans.models import Plan
from billing.subscriptions.models import Subscription
from billing.subscriptions.services.end_grace import end_grace_periods
from tests.make import AT, make_customer
from tests.subscriptions.test_apply_state import DAY, apply, plan_of, state

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
SINCE = AT + DAY
OVER = SINCE + 7 * DAY


def test_paid_plan_outlives_the_first_failure() -> None:
    """S8: seven days of grace, to the microsecond; then the free plan, once."""
    customer = make_customer("free")
    apply(customer, state(), at=AT)
    apply(customer, state(status="past_due"), at=SINCE)
    assert end_grace_periods(at=OVER - timedelta(microseconds=1)) == 0
    assert plan_of(customer, OVER)[0] == "pro"
    assert [end_grace_periods(at=OVER), end_grace_periods(at=OVER + DAY)] == [1, 0]
    assert plan_of(customer, OVER)[0] == "free"


def test_look_at_the_processor_ends_the_grace_too() -> None:
    """S8: whichever comes first, the periodic look or an event; and another look does not bring the plan back."""
    customer = make_customer("free")
    apply(customer, state(), at=SINCE - timedelta(hours=1))
    for at in (SINCE, OVER, OVER + DAY):
        apply(customer, state(status="past_due"), at=at)
    assert plan_of(customer, OVER)[0] == "free"
    assert Subscription.objects.count() == 3


def test_one_accounts_trouble() -> None:
    """S8: where a catalogue has no free plan, the accounts of the others are downgraded nevertheless."""
    stuck, other = make_customer("free"), make_customer("free")
    apply(stuck, state("sub_1"), at=AT)
    apply(other, state("sub_2", "developer"), at=AT)
    apply(stuck, state("sub_1", status="past_due"), at=SINCE)
    apply(other, state("sub_2", "developer", status="past_due"), at=SINCE)
    Plan.objects.filter(catalogue="tiers").update(is_default=False)
    assert end_grace_periods(at=OVER) == 1
    assert (plan_of(stuck, OVER)[0], plan_of(other, OVER)[0]) == ("pro", "starter")


def test_late_payment_brings_the_plan_back() -> None:
    """S8: the agreement goes on through the free plan, so that a payment restores its plan at once."""
    customer = make_customer("free")
    apply(customer, state(), at=AT)
    apply(customer, state(status="past_due"), at=SINCE)
    end_grace_periods(at=OVER)
    apply(customer, state(), at=OVER + DAY)
    assert [plan_of(customer, at)[0] for at in (AT, OVER, OVER + DAY)] == ["pro", "free", "pro"]
