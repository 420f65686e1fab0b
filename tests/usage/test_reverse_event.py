"""Taking a wrong event back."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.core.ids import decode_id
from billing.credits.services.check_ledger import check_ledger
from billing.subscriptions.queries import terms_of
from billing.usage.errors import NotReversible
from billing.usage.models import Counter, UsageEvent
from billing.usage.queries import period_readings
from billing.usage.services.reverse_event import reverse_event
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer, make_customer
from tests.money_make import event, finish, make_grant, money_of, report, start

pytestmark = pytest.mark.usefixtures("catalogue")
LATER = AT + timedelta(days=1)


def reverse(customer: Customer, event_id: str | None) -> UsageEvent:
    return reverse_event(
        account_id=customer.account.id,
        event_id=decode_id("evt", str(event_id)),
        reason="counted twice",
        at=LATER,
        actor=SYSTEM,
    )


def test_reversal_gives_everything_back_once() -> None:
    """U3: the first event stays, a second one names it; meters, counters and money are as before."""
    customer = make_customer("payg", balance="1")
    (result,) = report(customer, event(user="bob", agent="a"))
    first = reverse(customer, result.event_id)
    assert reverse(customer, result.event_id).id == first.id
    assert (first.cost, first.input_tokens, first.agent) == (Decimal("-0.0075"), -1000, "a")
    assert first.reverses_id == decode_id("evt", str(result.event_id))
    assert UsageEvent.objects.count() == 2
    period = terms_of(customer.account.id, AT).period(AT)
    (reading,) = period_readings(account_id=customer.account.id, period=period)
    assert (reading.requests, reading.input_tokens, reading.cost) == (0, 0, 0)
    assert set(Counter.objects.values_list("used", flat=True)) == {0}
    assert money_of(customer.account) == ("1", "0", "0")
    assert AuditEvent.objects.filter(action="usage_event.reversed").count() == 1
    assert check_ledger(at=LATER) == []


def test_debt_is_forgiven_before_credits_are_given() -> None:
    """U3: what was owed for usage falls first; only the rest comes back as credits."""
    customer = make_customer(balance="0.01")
    first, _ = report(customer, event(), event())
    assert money_of(customer.account) == ("0", "0", "0.005")
    reverse(customer, first.event_id)
    assert money_of(customer.account) == ("0.0025", "0", "0")
    assert check_ledger(at=LATER) == []


def test_settled_run_can_be_taken_back() -> None:
    """U3: what a run was charged comes back, whatever was granted and spent since."""
    customer = make_customer(balance="1")
    settled = finish(customer, start(customer))
    make_grant(customer.account.credits, "1")
    report(customer, event())
    reverse(customer, settled.event_id)
    assert money_of(customer.account) == ("1.9925", "0", "0")
    assert check_ledger(at=LATER) == []


@pytest.mark.parametrize("plan", ["free", "platform-starter"])
def test_usage_that_cost_nothing_gives_nothing_back(plan: str) -> None:
    """U3, U7: neither what the plan covers nor what the provider billed becomes money."""
    customer = make_customer(plan)
    (result,) = report(customer, event())
    assert reverse(customer, result.event_id).cost == Decimal("-0.0075")
    assert money_of(customer.account) == ("0", "0", "0")


def test_neither_reversals_nor_foreign_events_are_reversed() -> None:
    """U3, F3: a reversal stands; another account's event is not there."""
    customer, other = make_customer(balance="1"), make_customer()
    (result,) = report(customer, event())
    reversal = reverse(customer, result.event_id)
    with pytest.raises(NotReversible):
        reverse(customer, f"evt_{reversal.id.hex}")
    with pytest.raises(UsageEvent.DoesNotExist):
        reverse(other, result.event_id)


def test_key_of_a_reversal_cannot_be_reported() -> None:
    """U2, U3: nobody can take a reversal's key before it is needed, nor a reversed event's key after it."""
    customer = make_customer(balance="1")
    (result,) = report(customer, event("k"))
    reverse(customer, result.event_id)
    assert report(customer, event(f"quaestor:reversal:{result.event_id}"))[0].code == "invalid-request"
    assert report(customer, event("k"))[0].status == "duplicate"
