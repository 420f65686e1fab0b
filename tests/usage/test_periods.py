"""Which periods an account has had, and which of them events land in (P5, U6)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.api.periods import period_meant
from billing.core.periods import Period, period_containing
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.services.subscribe import subscribe
from billing.usage.models import UsageEvent
from billing.usage.periods import first_period_start, period_at, periods_of
from billing.usage.queries import meter_readings
from billing.usage.services.flush_rollups import flush_all_rollups
from billing.usage.services.reverse_event import reverse_event
from billing.usage.sums import totals_of
from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer, make_customer
from tests.money_make import event, report

pytestmark = pytest.mark.usefixtures("catalogue")

DAY = timedelta(days=1)
SIGNED_UP = datetime(2026, 1, 31, 9, tzinfo=UTC)
_gap = st.sampled_from([timedelta(seconds=5), timedelta(hours=15), DAY, 13 * DAY, 28 * DAY, 59 * DAY])


def on(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def spans(customer: Customer, at: datetime, most: int = 24) -> list[tuple[str, str]]:
    """First days and ends of periods, with the hour where it is not midnight."""
    found = periods_of(customer.account.id, at, most)
    return [
        (f"{one.start:%Y-%m-%d %H}".removesuffix(" 00"), f"{one.end:%Y-%m-%d %H}".removesuffix(" 00")) for one in found
    ]


def requests_by_period(customer: Customer, at: datetime) -> list[int]:
    account_id = customer.account.id
    return [totals_of(meter_readings(account_id=account_id, period=one)).requests for one in periods_of(account_id, at)]


def test_signup_on_the_31st() -> None:
    """Time, P5: periods end with shorter months and come back, in a leap year too; events follow."""
    customer = make_customer("free", at=on("2023-12-31"))
    present = on("2024-04-30T12:00")
    assert spans(customer, present) == [
        ("2024-04-30", "2024-05-31"),
        ("2024-03-31", "2024-04-30"),
        ("2024-02-29", "2024-03-31"),
        ("2024-01-31", "2024-02-29"),
        ("2023-12-31", "2024-01-31"),
    ]
    days = (
        "2024-02-28T23:59:59",
        "2024-02-29",
        "2024-03-30T23:59:59",
        "2024-03-31",
        "2024-04-29T23:59:59",
        "2024-04-30",
    )
    report(customer, *[event(occurred_at=on(day).isoformat()) for day in days], at=present)
    assert requests_by_period(customer, present) == [1, 2, 2, 1, 0]
    flush_all_rollups()
    assert requests_by_period(customer, present) == [1, 2, 2, 1, 0]


def test_change_of_plan() -> None:
    """P5, U6: the old plan's last period ends with it, and takes in what it is told of afterwards."""
    customer = make_customer("free", at=on("2026-01-10"))
    subscribe(account_id=customer.account.id, plan_slug="pro", at=on("2026-02-20T08:00"))
    assert spans(customer, AT) == [
        ("2026-02-20 08", "2026-03-20 08"),
        ("2026-02-10", "2026-02-20 08"),
        ("2026-01-10", "2026-02-10"),
    ]
    for late in ("2026-02-20T07:59:59", "2026-02-20T08:00", "2026-02-09T00:00", "2026-02-10T00:00"):
        report(customer, event(occurred_at=on(late).isoformat()))
    assert requests_by_period(customer, AT) == [1, 2, 1]


def test_plan_of_seconds() -> None:
    """P5, U6: a plan's period inside the month of the plan before and after it is one of its own; the month is one."""
    customer = make_customer("free", at=on("2026-01-07"))
    subscribe(account_id=customer.account.id, plan_slug="pro", at=on("2026-02-20T17:15:40"))
    report(customer, event(occurred_at="2026-02-20T17:15:41Z"), at=on("2026-02-20T17:15:42"))
    subscribe(account_id=customer.account.id, plan_slug="free", at=on("2026-02-20T17:15:45"))
    present = on("2026-02-21")
    report(customer, event(occurred_at="2026-02-20T17:15:39Z"), event(occurred_at="2026-02-20T17:15:45Z"), at=present)
    assert periods_of(customer.account.id, present) == [
        Period(on("2026-02-07"), on("2026-03-07")),
        Period(on("2026-02-20T17:15:40"), on("2026-02-20T17:15:45")),
        Period(on("2026-01-07"), on("2026-02-07")),
    ]
    assert requests_by_period(customer, present) == [2, 1, 0]


def test_usage_from_before_the_first_plan() -> None:
    """U6: periods before sign-up are listed where something was used in them, folded or not, and no others."""
    customer = make_customer("free", at=on("2026-02-10"))
    report(customer, event(occurred_at="2026-01-20T00:00:00Z"))
    flush_all_rollups()
    report(customer, event(occurred_at="2026-01-21T00:00:00Z"), event(occurred_at="2025-02-03T00:00:00Z"))
    assert spans(customer, AT) == [
        ("2026-03-10", "2026-04-10"),
        ("2026-02-10", "2026-03-10"),
        ("2026-01-10", "2026-02-10"),
        ("2025-01-10", "2025-02-10"),
    ]
    assert requests_by_period(customer, AT) == [0, 0, 2, 1]
    assert len(spans(customer, AT, most=3)) == 3


def test_plan_whose_month_began_before_the_first_plan() -> None:
    """P5, U6: usage of it is in no period from before the first plan."""
    customer = make_customer("pro", at=SIGNED_UP)
    subscribe(account_id=customer.account.id, plan_slug="free", at=SIGNED_UP + timedelta(seconds=5))
    report(customer, event(occurred_at=(SIGNED_UP + timedelta(seconds=5)).isoformat()), at=SIGNED_UP + DAY)
    assert spans(customer, SIGNED_UP + DAY) == [
        ("2026-01-31", "2026-02-28"),
        ("2026-01-31 09", "2026-01-31 09"),
    ]
    assert requests_by_period(customer, SIGNED_UP + DAY) == [1, 0]
    assert first_period_start(customer.account.id) == SIGNED_UP


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["free", "pro"]),
    st.lists(st.tuples(_gap, st.sampled_from(["free", "pro", -1, -40, -400]) | _gap), max_size=8),
)
def test_periods_are_those_of_all_instants(first: str, steps: list[tuple[timedelta, str | int | timedelta]]) -> None:
    """P5, U6: whatever plans follow each other, each event is in its own time's period, and that one is listed."""
    at = SIGNED_UP
    customer = make_customer(first, at=at)
    for gap, what in steps:
        at += gap
        if isinstance(what, str):
            subscribe(account_id=customer.account.id, plan_slug=what, at=at)
        else:
            ago = what if isinstance(what, timedelta) else timedelta(days=-what)
            report(customer, event(occurred_at=(at - ago).isoformat()), at=at)
    at += DAY
    events = UsageEvent.objects.filter(account_id=customer.account.id)
    told = {one.occurred_at: one.period_start for one in events}
    starts = plain_starts(customer, at)
    periods = periods_of(customer.account.id, at, most=1000)
    assert sorted(one.start for one in periods) == sorted({*starts.values(), *told.values()})
    for instant, start in (starts | told).items():
        found = period_meant(customer.account.id, instant, at)
        assert (found.start, found.contains(instant), found in periods) == (start, True, True)
    assert periods[0] == period_meant(customer.account.id, at, at)


def plain_starts(customer: Customer, at: datetime) -> dict[datetime, datetime]:
    """Where the periods of instants begin, around each change of plan and once a day."""
    history = list(customer.account.subscriptions.order_by("starts_at"))
    changes = [one.starts_at for one in history]
    instants = {*changes, *(change - timedelta(microseconds=1) for change in changes[1:]), at}
    instants |= {SIGNED_UP + number * DAY for number in range((at - SIGNED_UP) // DAY + 1)}
    anchors = {when: [one.anchor for one in history if one.starts_at <= when][-1] for when in instants}
    return {when: period_containing(anchor, when).start for when, anchor in anchors.items()}


def test_most_and_none() -> None:
    """P5: no more than asked for, never before the first plan, and an account without one has none."""
    customer = make_customer("free", at=on("2026-01-10"))
    assert len(periods_of(customer.account.id, AT, most=2)) == 2
    with pytest.raises(NoActivePlan):
        periods_of(customer.account.id, on("2026-01-09T23:59"))
    before = period_at(account_id=customer.account.id, instant=on("2025-12-24"), at=AT)
    assert before == Period(on("2025-12-10"), on("2026-01-10"))
    report(customer, event(occurred_at="2025-12-24T00:00:00Z"))
    assert UsageEvent.objects.get().period_start == before.start


def test_late_events() -> None:
    """U6: what a period's figures of a moment lack, events and reversals, and nothing of other periods."""
    customer = make_customer("free", at=on("2026-01-10"))
    closed = on("2026-02-11")
    report(customer, event("known", occurred_at="2026-02-01T00:00:00Z"), at=on("2026-02-01"))
    report(customer, event("late", occurred_at="2026-02-01T00:00:00Z"), event("other"), at=AT)
    known = UsageEvent.objects.get(idempotency_key="known")
    reverse_event(
        account_id=customer.account.id, event_id=known.id, reason="wrong", at=AT + timedelta(hours=1), actor=SYSTEM
    )
    period = period_at(account_id=customer.account.id, instant=on("2026-02-01"), at=AT)
    recorded = UsageEvent.objects.filter(account_id=customer.account.id, period_start=period.start).order_by("id")
    late = recorded.filter(recorded_at__gt=closed)
    assert [(one.idempotency_key == "late", one.reverses_id) for one in late] == [(True, None), (False, known.id)]
    assert list(recorded.filter(recorded_at__gt=AT + timedelta(hours=1))) == []
