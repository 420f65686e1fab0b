"""Taking a wrong event back."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from billing.core.ids import decode_id, encode_id
from billing.credits.models import Grant, Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.subscriptions.queries import terms_of
from billing.usage.errors import NotReversible
from billing.usage.models import Counter, UsageEvent
from billing.usage.queries import meter_readings
from billing.usage.services.flush_rollups import flush_all_rollups
from billing.usage.services.reverse_event import reverse_event
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer, make_customer
from tests.money_make import event, finish, make_grant, money_of, report, start

pytestmark = pytest.mark.usefixtures("catalogue")
LATER = AT + timedelta(hours=1)


def reported(customer: Customer, **changes: object) -> UUID:
    """The id of one event: 0.0075 dollars."""
    return decode_id("evt", str(report(customer, event(**changes))[0].event_id))


def reverse(customer: Customer, event_id: UUID, reason: str = "Reported twice") -> UsageEvent:
    return reverse_event(account_id=customer.account.id, event_id=event_id, reason=reason, at=LATER, actor=SYSTEM)


def metered(customer: Customer, at: object = AT) -> list[tuple[int, int, Decimal]]:
    """Requests, tokens and cost of each meter in the period of an instant."""
    period = terms_of(customer.account.id, AT).period(at)
    readings = meter_readings(account_id=customer.account.id, period=period)
    return [(one.requests, one.input_tokens + one.output_tokens, one.cost) for one in readings]


def counted(customer: Customer) -> dict[str, Decimal]:
    return dict(Counter.objects.filter(account_id=customer.account.id).values_list("feature", "used"))


def test_usage_and_money_are_as_before() -> None:
    """U3: meters, counters and credits are what they were; both events stay, the second names the first."""
    customer = make_customer(balance="1")
    wrong = reported(customer, user="ann")
    reversal = reverse(customer, wrong)
    assert (reversal.reverses_id, reversal.quantity, reversal.cost) == (wrong, Decimal(-1500), Decimal("-0.0075"))
    assert reversal.period_start == UsageEvent.objects.get(id=wrong).period_start
    assert metered(customer) == [(0, 0, 0)]
    assert counted(customer) == {
        "executions_per_month": 0,
        "tokens_per_month": 0,
        "spend_cap_per_day": 0,
        "spend_cap_per_user_day": 0,
    }
    assert money_of(customer.account) == ("1", "0", "0")
    flush_all_rollups()
    assert metered(customer) == [(0, 0, 0)]
    assert check_ledger(at=LATER) == []


def test_reason_is_written_down() -> None:
    """U3, F2: the tenant's audit log says what was taken back, why, and what it cost."""
    customer = make_customer(balance="1")
    wrong = reported(customer)
    reversal = reverse(customer, wrong, "Wrong model")
    line = AuditEvent.objects.get(tenant=customer.tenant, action="usage_event.reversed")
    assert (line.target, line.at) == (encode_id("evt", wrong), LATER)
    assert line.detail == {
        "reason": "Wrong model",
        "cost": "0.007500000",
        "reversal": encode_id("evt", reversal.id),
    }


def test_second_time_gives_the_first() -> None:
    """U3: nothing is given back twice."""
    customer = make_customer(balance="1")
    wrong = reported(customer)
    assert reverse(customer, wrong) == reverse(customer, wrong)
    assert UsageEvent.objects.count() == 2
    assert money_of(customer.account) == ("1", "0", "0")
    assert AuditEvent.objects.filter(action="usage_event.reversed").count() == 1


@pytest.mark.parametrize(
    ("balance", "events", "after"),
    [("0.005", 1, ("0.005", "0", "0")), ("0.005", 2, ("0", "0", "0.0025")), ("", 1, ("0", "0", "0"))],
)
def test_debt_is_taken_off_first(balance: str, events: int, after: tuple[str, str, str]) -> None:
    """U3, M2: what is owed goes down first, only the rest comes back as credits."""
    customer = make_customer(balance=balance)
    wrong, *_ = [reported(customer) for _ in range(events)]
    reverse(customer, wrong)
    assert money_of(customer.account) == after
    assert check_ledger(at=LATER) == []


def test_credits_come_back_as_an_adjustment() -> None:
    """U3, M6: a grant that does not expire, out of revenue, described by the event's id."""
    customer = make_customer(balance="1")
    wrong = reported(customer)
    reverse(customer, wrong)
    grant = Grant.objects.get(source=Grant.Source.ADJUSTMENT)
    assert (grant.amount, grant.expires_at) == (Decimal("0.0075"), None)
    transfer = Transfer.objects.get(grant=grant)
    assert (transfer.reason, transfer.debit_account.kind) == ("reversal", "revenue")
    assert transfer.description == f"Reversal of {encode_id('evt', wrong)}"


def test_charge_on_the_invoice_is_taken_off_it() -> None:
    """U3, U7: where the plan bills extras later, less is owed."""
    customer = make_customer("platform-starter")
    wrong = reported(customer, product="pstn", quantity="10")
    owed = Decimal(money_of(customer.account)[2])
    assert owed == UsageEvent.objects.get(id=wrong).cost > 0
    reverse(customer, wrong)
    assert money_of(customer.account) == ("0", "0", "0")
    assert metered(customer) == [(0, 0, 0)]


@pytest.mark.parametrize("plan", ["free", "platform-starter"])
def test_usage_that_cost_nothing_gives_nothing_back(plan: str) -> None:
    """U3, U7: neither what the plan covers nor what the provider billed becomes money."""
    customer = make_customer(plan)
    assert reverse(customer, reported(customer)).cost == Decimal("-0.0075")
    assert not Transfer.objects.exists()
    assert not any(counted(customer).values())


def test_settled_run_can_be_taken_back() -> None:
    """U3: what a run was charged comes back, whatever was granted and spent since."""
    customer = make_customer(balance="1")
    settled = finish(customer, start(customer))
    make_grant(customer.account.credits, "1")
    reported(customer)
    reverse(customer, decode_id("evt", str(settled.event_id)))
    assert money_of(customer.account) == ("1.9925", "0", "0")
    assert check_ledger(at=LATER) == []


def test_event_of_an_older_period() -> None:
    """U3, U6: the period that the event happened in is put right, the running one is not touched."""
    customer = make_customer(balance="1", at=AT - timedelta(days=60))
    old = AT - timedelta(days=40)
    wrong = reported(customer, occurred_at=old.isoformat())
    reported(customer)
    reverse(customer, wrong)
    assert metered(customer, old) == [(0, 0, 0)]
    assert metered(customer) == [(1, 1500, Decimal("0.0075"))]
    windows = Counter.objects.filter(feature="executions_per_month").order_by("window_start")
    assert list(windows.values_list("used", flat=True)) == [0, 1]
    assert check_ledger(at=LATER) == []


def test_reversal_is_not_reversed() -> None:
    """U3: a correction stands; what was right is recorded again."""
    customer = make_customer(balance="1")
    reversal = reverse(customer, reported(customer))
    with pytest.raises(NotReversible):
        reverse(customer, reversal.id)


def test_event_of_somebody_else_is_not_found() -> None:
    """U3: an event is taken back within its account."""
    customer, other = make_customer(balance="1"), make_customer(balance="1")
    with pytest.raises(UsageEvent.DoesNotExist):
        reverse(other, reported(customer))
    assert UsageEvent.objects.count() == 1


def test_key_of_a_reversal_cannot_be_reported() -> None:
    """U2, U3: nobody can take a reversal's key before it is needed, nor a reversed event's key after it."""
    customer = make_customer(balance="1")
    (result,) = report(customer, event("k"))
    reverse(customer, decode_id("evt", str(result.event_id)))
    assert report(customer, event(f"quaestor:reversal:{result.event_id}"))[0].code == "invalid-request"
    assert report(customer, event("k"))[0].status == "duplicate"
