"""When allowances begin anew: the last instant of a window, and the first of the next (P3, P5)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from billing.core.problems import Problem
from billing.plans.models import PlanVersion
from billing.subscriptions.models import Subscription
from billing.subscriptions.services.apply_state import apply_state
from billing.subscriptions.services.override_entitlement import override_entitlement
from billing.subscriptions.state import SubscriptionState
from billing.usage.models import Counter
from tests.make import AT, Customer, make_customer
from tests.money_make import event, finish, report, start, statuses

pytestmark = pytest.mark.usefixtures("catalogue")
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def make_limited(signed_up: datetime, plan: str = "free", **features: object) -> Customer:
    """One execution a period, and other limits as told."""
    customer = make_customer(plan, at=signed_up)
    for feature, value in ({"executions_per_month": 1} | features).items():
        override_entitlement(account_id=customer.account.id, feature=feature, value=value, reason="x", at=signed_up)
    return customer


def agreed(status: str, *, anchor: datetime = AT, until: datetime) -> SubscriptionState:
    """What the payment processor says of a subscription to Pro."""
    return SubscriptionState(
        external_id="sub_1",
        status=status,
        plan_version_id=PlanVersion.objects.get(plan__slug="pro").id,
        interval="monthly",
        variant="standard",
        seats=1,
        anchor=anchor,
        started_at=AT,
        period_start=anchor,
        period_end=until,
    )


def admits(customer: Customer, at: datetime, **changes: object) -> bool:
    """Whether a run may start; one that may is settled at once, so that it is used up."""
    try:
        run = start(customer, at=at, **({"model": "gpt-4o-mini"} | changes))
    except Problem as refusal:
        if refusal.code not in {"quota-exceeded-executions", "quota-exceeded-sandbox-tries", "spend-cap-exceeded"}:
            raise
        return False
    finish(customer, run, at=at)
    return True


def assert_begins_anew(customer: Customer, boundary: datetime) -> None:
    """One run at the boundary, none just before it; the one before used up what there was."""
    assert not admits(customer, boundary - TICK)
    assert admits(customer, boundary)
    assert not admits(customer, boundary + TICK)


def windows(customer: Customer, feature: str) -> list[tuple[datetime, Decimal]]:
    rows = Counter.objects.filter(account_id=customer.account.id, feature=feature, used__gt=0)
    return list(rows.order_by("window_start").values_list("window_start", "used"))


def test_signup_on_the_31st() -> None:
    """P5: the allowance comes back on the last day of each shorter month and on the 31st of the others, at midnight."""
    customer = make_limited(utc(2026, 1, 31, 17, 30))
    assert admits(customer, utc(2026, 1, 31, 18))
    for month, day in ((2, 28), (3, 31), (4, 30), (5, 31), (6, 30)):
        assert_begins_anew(customer, utc(2026, month, day))
    begun = [start for start, _ in windows(customer, "executions_per_month")]
    assert begun == [utc(2026, month, day) for month, day in ((1, 31), (2, 28), (3, 31), (4, 30), (5, 31), (6, 30))]


def test_leap_day() -> None:
    """P5: who signed up on 29 February has allowances from the 29th, in February from its last day."""
    customer = make_limited(utc(2024, 2, 29, 8))
    assert admits(customer, utc(2024, 2, 29, 8))
    for boundary in (utc(2024, 3, 29), utc(2025, 2, 28), utc(2025, 3, 29), utc(2028, 2, 29)):
        admits(customer, boundary - DAY)
        assert_begins_anew(customer, boundary)


def test_first_period_longer_than_a_month() -> None:
    """P5: a first payment is due in seven weeks; the allowance of a month is still one of a month."""
    customer = make_limited(AT, "pro")
    first_payment = utc(2026, 5, 1, 9)
    Subscription.objects.filter(account=customer.account).update(anchor=first_payment)
    assert admits(customer, AT)
    assert not admits(customer, AT + DAY)
    for boundary in (utc(2026, 4, 1, 9), first_payment):
        assert_begins_anew(customer, boundary)


def test_trial_extension_moves_the_period() -> None:
    """P5: an extension gives no allowance a second time, and the first paid period begins one."""
    customer = make_limited(AT)
    account_id = customer.account.id
    apply_state(account_id=account_id, states=[agreed("trialing", until=AT + 14 * DAY)], at=AT)
    assert admits(customer, AT + DAY)
    for extended in (20, 28):
        trial = agreed("trialing", until=AT + extended * DAY)
        apply_state(account_id=account_id, states=[trial], at=AT + 2 * DAY)
        assert not admits(customer, AT + 2 * DAY + TICK)
    paid = AT + 28 * DAY
    assert not admits(customer, paid - TICK)
    first_paid = agreed("active", anchor=paid, until=paid + 31 * DAY)
    apply_state(account_id=account_id, states=[first_paid], at=paid)
    assert admits(customer, paid)
    assert not admits(customer, paid + TICK)


@pytest.mark.parametrize("midnight", [utc(2026, 3, 29), utc(2026, 10, 25)])
def test_dst_change_in_the_tenants_zone(midnight: datetime) -> None:
    """P3, M9: a day on which clocks change has 24 hours to tries and caps, and events count on UTC's days."""
    customer = make_limited(midnight - 3 * DAY, "pro", executions_per_month=99, sandbox_tries_per_day=1)
    for boundary in (midnight, midnight + DAY):
        admits(customer, boundary - DAY, sandbox=True)
        assert not admits(customer, boundary - TICK, sandbox=True)
        assert admits(customer, boundary, sandbox=True)
    berlin = ZoneInfo("Europe/Berlin")
    local = [midnight.replace(tzinfo=berlin) + timedelta(minutes=minutes) for minutes in (-1, 30, 24 * 60 - 30)]
    sent = [event(model="gpt-4o-mini", user="bob", occurred_at=at.isoformat()) for at in local]
    assert statuses(report(customer, *sent, at=midnight + 2 * DAY)) == ["accepted"] * 3
    days = dict(windows(customer, "spend_cap_per_user_day"))
    expected = [at.astimezone(UTC).date() for at in local]
    assert {day.date(): used for day, used in days.items()} == {
        day: expected.count(day) * Decimal("0.00045") for day in expected
    }
