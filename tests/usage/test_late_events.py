"""Usage that is told of long after it happened: never lost, never silent (U6)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.credits.services.settle_receivable import settle_receivable
from billing.subscriptions.queries import terms_of
from billing.usage.invoiced import invoiced_costs
from billing.usage.models import UsageEvent
from billing.usage.queries import daily_readings, meter_readings
from billing.usage.services.flush_rollups import flush_all_rollups
from tests.make import AT, make_customer
from tests.money_make import event, money_of, report, statuses

pytestmark = pytest.mark.usefixtures("catalogue")
DAY = timedelta(days=1)


@pytest.mark.parametrize("folded", [True, False])
def test_late_event_after_finalisation(folded: bool) -> None:
    """Time, U6: a paid period takes in what is told of later; what it then comes to is more than what was invoiced."""
    customer = make_customer("pro", at=AT - 45 * DAY)
    past = terms_of(customer.account.id, AT).period(AT - 40 * DAY)
    then = (past.end - timedelta(microseconds=1)).isoformat()
    report(customer, event(product="pstn", quantity="100", occurred_at=(past.start + DAY).isoformat()))
    flush_all_rollups()
    invoiced = invoiced_costs(account_id=customer.account.id, since=past.start)
    assert invoiced == {(past.start, "pstn"): Decimal("1.8")}
    account = customer.account
    settle_receivable(
        credits_id=account.credits_id,
        receivable_id=account.receivable_id,
        amount=Decimal("1.8"),
        idempotency_key="invoice:in_1",
        at=past.end + DAY,
    )
    late = event("late", product="pstn", quantity="10", occurred_at=then)
    assert statuses(report(customer, late) + report(customer, late)) == ["accepted", "duplicate"]
    if folded:
        flush_all_rollups()
    now_due = invoiced_costs(account_id=account.id, since=past.start)
    assert now_due == {(past.start, "pstn"): Decimal("1.98")}
    assert money_of(account) == ("0", "0", "0.18")
    (reading,) = meter_readings(account_id=account.id, period=past)
    assert (reading.quantity, reading.cost) == (110, Decimal("1.98"))
    assert [day.cost for day in daily_readings(account_id=account.id, period=past)] == [Decimal("1.8"), Decimal("0.18")]
    assert meter_readings(account_id=account.id, period=terms_of(account.id, AT).period(AT)) == []
    stored = UsageEvent.objects.get(account_id=account.id, idempotency_key="late")
    assert (stored.period_start, stored.recorded_at, stored.occurred_at < past.end) == (past.start, AT, True)


def test_event_on_the_border_of_two_periods() -> None:
    """P5, U6: the last microsecond belongs to the period that ends, the first to the one that begins."""
    customer = make_customer("pro", at=AT - 45 * DAY)
    present = terms_of(customer.account.id, AT).period(AT)
    before = present.start - timedelta(microseconds=1)
    sent = [event(product="pstn", quantity="1", occurred_at=at.isoformat()) for at in (before, present.start)]
    assert statuses(report(customer, *sent)) == ["accepted"] * 2
    starts = UsageEvent.objects.filter(account_id=customer.account.id).order_by("occurred_at")
    past = terms_of(customer.account.id, AT).period(before)
    assert list(starts.values_list("period_start", flat=True)) == [past.start, present.start]
    assert past.end == present.start


def test_backdated_event_dropped_after_202() -> None:
    """Time: what is accepted of any age is charged, counted and readable; a repeat of years later is the same event."""
    customer = make_customer(balance="1")
    ago = AT - 1000 * DAY
    old = event("old", occurred_at=ago.isoformat(), session="s")
    assert statuses(report(customer, old)) == ["accepted"]
    assert money_of(customer.account)[0] == "0.9925"
    flush_all_rollups()
    period = terms_of(customer.account.id, AT).period(ago)
    assert [(row.requests, row.cost) for row in meter_readings(account_id=customer.account.id, period=period)] == [
        (1, Decimal("0.0075"))
    ]
    assert statuses(report(customer, old, at=AT + 1000 * DAY)) == ["duplicate"]
    assert money_of(customer.account)[0] == "0.9925"


def test_cached_tokens_billed_twice() -> None:
    """Limits: cached tokens are part of the input for meters and counters too, reported or folded."""
    customer = make_customer("payg", balance="1")
    report(customer, event(input_tokens=1000, cached_input_tokens=400, output_tokens=500))
    flush_all_rollups()
    period = terms_of(customer.account.id, AT).period(AT)
    (reading,) = meter_readings(account_id=customer.account.id, period=period)
    assert (reading.quantity, reading.input_tokens, reading.cached_input_tokens) == (1500, 1000, 400)
    assert reading.cost == 1 - Decimal(money_of(customer.account)[0]) == Decimal("0.007")
