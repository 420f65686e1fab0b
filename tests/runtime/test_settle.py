"""Closing runs: with figures, without a run, or by the clock."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from billing.core.ids import decode_id, encode_id
from billing.core.problems import Problem
from billing.credits.models import Transfer
from billing.credits.services.check_ledger import check_ledger
from billing.plans.models import Model, ModelPrice
from billing.runtime.models import Authorization
from billing.runtime.requests import SettlementRequest
from billing.runtime.services.expire_holds import expire_holds
from billing.runtime.services.settle import settle
from billing.subscriptions.models import Subscription
from billing.subscriptions.queries import terms_of
from billing.subscriptions.services.override_entitlement import override_entitlement
from billing.subscriptions.services.subscribe import subscribe
from billing.usage.models import Counter, UsageEvent
from billing.usage.queries import meter_readings
from tests.make import AT, Customer, make_api_key, make_customer, make_workspace
from tests.money_make import abandon, finish, make_grant, money_of, start

pytestmark = pytest.mark.usefixtures("catalogue")
LATER = AT + timedelta(minutes=15)


def reserved(customer: Customer) -> list[tuple[str, Decimal, Decimal]]:
    rows = Counter.objects.filter(account_id=customer.account.id).order_by("feature")
    return [(row.feature, row.used, row.reserved) for row in rows]


def test_settled_with_less_than_was_held() -> None:
    """M2: the real cost is charged, the rest of the hold is free again, one event is written."""
    customer = make_customer(balance="1")
    run = start(customer, agent="a", user="bob")
    answer = finish(customer, run, 400, 100)
    assert (answer.cost, answer.charged, answer.owed, answer.balance) == (
        "0.002000000", "0.002000000", "0.000000000", "0.998000000",
    )  # fmt: skip
    event = UsageEvent.objects.get(account_id=customer.account.id)
    assert (encode_id("evt", event.id), event.cost, event.agent) == (answer.event_id, Decimal("0.002"), "a")
    assert (event.idempotency_key, event.outcome) == (f"quaestor:{run.id}", "success")
    assert money_of(customer.account) == ("0.998", "0", "0")
    assert check_ledger(at=AT) == []


def test_same_figures_again_answer_as_the_first_time() -> None:
    """M2: a retry charges nothing; other figures are a conflict; voiding is too late."""
    customer = make_customer(balance="1")
    run = start(customer)
    first = finish(customer, run, 400, 100)
    make_grant(customer.account.credits, "5")
    assert finish(customer, run, 400, 100) == first
    with pytest.raises(Problem, match="authorization-settled"):
        finish(customer, run, 400, 101)
    with pytest.raises(Problem, match="authorization-settled"):
        abandon(customer, run)
    assert money_of(customer.account) == ("5.998", "0", "0")
    assert UsageEvent.objects.count() == 1


def test_cost_above_the_hold_takes_free_credits_then_is_owed() -> None:
    """M2: what ran is charged in full: hold, free credits of this account, and the rest on the next invoice."""
    customer = make_customer(balance="0.02")
    run, other = start(customer), start(customer)
    answer = finish(customer, run, 1000, 2000)
    assert (answer.cost, answer.charged, answer.owed, answer.balance) == (
        "0.022500000", "0.012500000", "0.010000000", "0.007500000",
    )  # fmt: skip
    assert money_of(customer.account) == ("0.0075", "0.0075", "0.01")
    finish(customer, other)
    assert money_of(customer.account) == ("0", "0", "0.01")
    assert check_ledger(at=AT) == []


def test_run_that_used_nothing() -> None:
    """M2: no tokens, no charge: the hold is void, the event is kept with its outcome."""
    customer = make_customer(balance="1")
    run = start(customer)
    answer = finish(customer, run, 0, 0, outcome="provider_error")
    assert (answer.cost, answer.charged, answer.balance) == ("0.000000000", "0.000000000", "1.000000000")
    hold = Transfer.objects.get(phase="pending")
    assert (hold.resolution.phase, Transfer.objects.filter(reason="usage").count()) == ("void_pending", 2)
    assert UsageEvent.objects.get().outcome == "provider_error"
    assert check_ledger(at=AT) == []


def test_free_model_needs_no_hold() -> None:
    """M2: a run at a price of zero is metered without a movement of money."""
    customer = make_customer()
    model = Model.objects.create(provider="house", name="free-1", title="Free", tier="fast")
    ModelPrice.objects.create(model=model, effective_from=AT, input_per_million=0, output_per_million=0, source="staff")
    run = start(customer, provider="house", model="free-1")
    assert (finish(customer, run).cost, Transfer.objects.count()) == ("0.000000000", 0)
    assert UsageEvent.objects.get().input_tokens == 1000


def test_cached_tokens_billed_twice() -> None:
    """Limits: cached tokens are part of the input: 600 at 2.50, 400 at 1.25 and 500 at 10 dollars a million."""
    customer = make_customer(balance="1")
    assert finish(customer, start(customer), cached_tokens=400).cost == "0.007000000"
    with pytest.raises(Problem, match="invalid-request"):
        finish(customer, start(customer), cached_tokens=1001)


def test_leaked_reservation_blocks_for_ever() -> None:
    """Limits: what an abandoned run holds of money, executions, tokens and a user's cap is free once it expires."""
    customer = make_customer("payg", balance="0.0075")
    for feature, value in (("executions_per_month", 1), ("tokens_per_month", 1500), ("spend_cap_per_user_day", "0.01")):
        override_entitlement(account_id=customer.account.id, feature=feature, value=value, reason="x", at=AT)
    run = start(customer, user="bob")
    assert expire_holds(at=LATER - timedelta(microseconds=1)) == 0
    assert expire_holds(at=LATER) == 1
    assert expire_holds(at=LATER) == 0
    assert Authorization.objects.get().state == "expired"
    assert money_of(customer.account) == ("0.0075", "0", "0")
    assert {(used, held) for _, used, held in reserved(customer)} == {(0, 0)}
    assert abandon(customer, run, at=LATER).state == "expired"
    assert start(customer, user="bob", at=LATER).state == "open"
    assert check_ledger(at=LATER) == []


@pytest.mark.parametrize("how", ["expired", "voided"])
def test_run_that_ends_after_its_hold_is_charged(how: str) -> None:
    """M2: late figures are taken from what is free, and the rest is owed: what ran is never lost."""
    customer = make_customer(balance="0.0075")
    run = start(customer)
    if how == "expired":
        expire_holds(at=LATER)
    else:
        abandon(customer, run)
    start(customer, max_output_tokens=250, at=LATER)
    answer = finish(customer, run, at=LATER)
    assert (answer.charged, answer.owed) == ("0.002500000", "0.005000000")
    assert finish(customer, run, at=LATER) == answer
    assert money_of(customer.account) == ("0.005", "0.005", "0.005")
    assert UsageEvent.objects.count() == 1
    assert check_ledger(at=LATER) == []


def test_overdue_run_that_nobody_expired_yet() -> None:
    """M2: between its end and the sweep a hold still pays for its run."""
    customer = make_customer(balance="0.0075")
    run = start(customer)
    assert finish(customer, run, at=LATER + timedelta(hours=1)).charged == "0.007500000"
    assert expire_holds(at=LATER + timedelta(hours=2)) == 0


def test_void_gives_everything_back() -> None:
    """M2: money and reservations, once; a second time changes nothing."""
    customer = make_customer("payg", balance="1")
    override_entitlement(account_id=customer.account.id, feature="executions_per_month", value=9, reason="x", at=AT)
    run = start(customer)
    assert [abandon(customer, run).state for _ in range(2)] == ["voided", "voided"]
    assert money_of(customer.account) == ("1", "0", "0")
    assert reserved(customer) == [("executions_per_month", 0, 0)]
    assert check_ledger(at=AT) == []


def test_settled_at_the_rates_that_were_quoted() -> None:
    """M2: a price that changes under a run does not change the run's."""
    customer = make_customer(balance="1")
    run = start(customer)
    model = Model.objects.get(provider="openai", name="gpt-4o")
    ModelPrice.objects.create(
        model=model, effective_from=AT, input_per_million=999, output_per_million=999, source="staff"
    )
    assert finish(customer, run, at=AT + timedelta(minutes=1)).cost == "0.007500000"


def test_run_counts_in_the_period_that_admitted_it() -> None:
    """P5, U6: a plan that changed while the run was under way moves neither its event nor its reservations."""
    customer = make_customer("pro", at=AT - timedelta(days=5))
    period = terms_of(customer.account.id, AT).period(AT)
    run = start(customer)
    subscribe(account_id=customer.account.id, plan_slug="team", at=AT + timedelta(seconds=1))
    finish(customer, run, at=AT + timedelta(seconds=2))
    assert [row.requests for row in meter_readings(account_id=customer.account.id, period=period)] == [1]
    assert reserved(customer)[0] == ("executions_per_month", 1, 0)


def test_run_is_settled_though_the_plan_has_ended() -> None:
    """M2: an account without a plan starts nothing, but what ran is still charged."""
    customer = make_customer(balance="1")
    run, unused = start(customer), start(customer)
    Subscription.objects.filter(account=customer.account).update(ends_at=AT + timedelta(seconds=1))
    assert finish(customer, run, at=LATER).charged == "0.007500000"
    assert abandon(customer, unused, at=LATER).state == "voided"


def test_hold_on_credits_that_expire_pays_for_its_run() -> None:
    """M6: a run that was admitted on a promotion is charged to it after its end, not to the credits that stay."""
    customer = make_customer(balance="1")
    make_grant(customer.account.credits, "0.0075", expires_at=AT + timedelta(minutes=1))
    run = start(customer)
    assert finish(customer, run, at=AT + timedelta(minutes=2)).balance == "1.000000000"
    assert check_ledger(at=LATER) == []


def test_foreign_run_is_not_found() -> None:
    """F3: another tenant's run, one of another workspace than the key's, and none at all read alike."""
    customer, other = make_customer(balance="1"), make_customer()
    second = make_workspace(customer.tenant, "second", account=customer.account)
    bound = make_api_key(customer.tenant, workspace=second).caller
    run = decode_id("auth", start(customer).id)
    for caller, wanted in ((other.key.caller, run), (bound, run), (customer.key.caller, uuid4())):
        with pytest.raises(Problem, match="not-found"):
            settle(
                caller=caller,
                authorization_id=wanted,
                request=SettlementRequest(input_tokens=1, output_tokens=1),
                at=AT,
            )
    assert not UsageEvent.objects.exists()
