"""What a tenant hears about its paid plan."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from billing.notifications.models import Notice
from billing.notifications.services.tell_of_agreement import tell_of_agreement, tell_of_overdue_plans
from billing.subscriptions.services.end_grace import end_grace_periods
from tests.make import AT, Customer, make_customer
from tests.subscriptions.test_apply_state import DAY, MONTH_END, apply, state

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
Look = Callable[..., list[str]]


@pytest.fixture
def customer() -> Customer:
    customer = make_customer("free")
    apply(customer, state(), at=AT + timedelta(hours=1))
    return customer


@pytest.fixture
def look(customer: Customer) -> Look:
    def look(at: datetime, **changed: object) -> list[str]:
        """Apply a read with these differences; gives the kinds of what the tenant is told of it."""
        known = set(Notice.objects.values_list("id", flat=True))
        apply(customer, state(**changed), at=at)
        for _ in range(2):
            tell_of_agreement(account_id=customer.account.id, at=at)
        return list(Notice.objects.exclude(id__in=known).order_by("id").values_list("kind", flat=True))

    return look


def test_plan_in_order_is_no_news(look: Look) -> None:
    """S8: nobody is written to while everything is paid."""
    assert look(AT + DAY) == []


def test_payment_that_arrives_late(look: Look) -> None:
    """S8: overdue with the end of the grace, suspended, restored; and all of it again the next time."""
    assert look(AT + DAY, status="past_due") == ["plan-past-due"]
    assert "until 18 March 2026, 12:00 UTC" in Notice.objects.get().body
    assert look(AT + 8 * DAY, status="past_due") == ["plan-downgraded"]
    assert "on Free now" in Notice.objects.get(kind="plan-downgraded").body
    assert look(AT + 9 * DAY) == ["plan-restored"]
    assert look(AT + 10 * DAY) == []
    assert look(AT + 40 * DAY, status="past_due") == ["plan-past-due"]
    assert look(AT + 41 * DAY) == ["plan-restored"]


def test_end_of_grace_is_told_without_an_event(customer: Customer, look: Look) -> None:
    """S8: the periodic look tells of the downgrade that the clock brings."""
    look(AT + DAY, status="past_due")
    end_grace_periods(at=AT + 8 * DAY)
    assert tell_of_overdue_plans(at=AT + 8 * DAY) == 1
    assert Notice.objects.filter(kind="plan-downgraded").count() == 1


def test_payment_that_never_arrives(look: Look) -> None:
    """S8: the end says why."""
    look(AT + DAY, status="past_due")
    assert look(AT + 16 * DAY, status="canceled", ended_at=AT + 16 * DAY) == ["plan-ended"]
    assert "because the payment for it did not arrive" in Notice.objects.get(kind="plan-ended").body


def test_cancelled_resumed_and_cancelled_again(look: Look) -> None:
    """P10: each change of mind is told, each once."""
    told = [look(AT + day * DAY, cancel_at=MONTH_END if day % 2 else None) for day in range(1, 5)]
    assert told == [["plan-cancelled"], ["plan-resumed"], ["plan-cancelled"], ["plan-resumed"]]


def test_end_of_the_period(look: Look) -> None:
    """P10: cancelled, then ended; the free plan is named."""
    look(AT + DAY, cancel_at=MONTH_END)
    assert look(MONTH_END, status="canceled", ended_at=MONTH_END) == ["plan-ended"]
    notice = Notice.objects.get(kind="plan-ended")
    assert notice.subject.endswith(": Pro has ended")
    assert "The plan has ended. The account is on Free now." in notice.body


def test_account_that_never_paid_hears_nothing() -> None:
    """S8: nothing to tell of an account without an agreement."""
    tell_of_agreement(account_id=make_customer("free").account.id, at=AT)
    assert Notice.objects.count() == 0
