"""Reporting usage: what becomes of each event."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from billing.core.ids import decode_id
from billing.core.periods import Period
from billing.credits.services.check_ledger import check_ledger
from billing.plans.models import Model, ModelPrice, Plan, PlanVersion
from billing.plans.queries import clear_price_book
from billing.subscriptions import directory
from billing.subscriptions.models import Subscription
from billing.subscriptions.queries import terms_of
from billing.subscriptions.services.attach_workspace import attach_workspace
from billing.subscriptions.services.subscribe import subscribe
from billing.usage.models import Counter, UsageDelta, UsageEvent
from billing.usage.queries import meter_readings
from billing.usage.services.ingest_events import ingest_events
from tests.make import AT, Customer, make_account, make_api_key, make_customer, make_workspace
from tests.money_make import event, money_of, report, statuses

pytestmark = pytest.mark.usefixtures("catalogue")
DAY = timedelta(days=1)


def stored(customer: Customer) -> list[UsageEvent]:
    return list(UsageEvent.objects.filter(account_id=customer.account.id).order_by("id"))


def test_results_stand_in_the_order_of_the_events() -> None:
    """U1, U2: each event has its own answer, and what is rejected leaves no trace."""
    customer = make_customer(balance="1")
    report(customer, event("known"), event("taken"))
    results = report(
        customer,
        event("new"),
        event("known"),
        event("taken", user="somebody"),
        event("", workspace="nowhere", idempotency_key="lost"),
        event("odd", input_tokens=-1),
        event("later", occurred_at=(AT + timedelta(minutes=6)).isoformat()),
        event("unpriced", model="gpt-unheard-of"),
        event("last"),
    )
    assert statuses(results) == [
        "accepted",
        "duplicate",
        "idempotency-conflict",
        "not-found",
        "invalid-request",
        "event-in-the-future",
        "unpriced-model",
        "accepted",
    ]
    assert [result.idempotency_key for result in results] == [
        "new", "known", "taken", "lost", "odd", "later", "unpriced", "last",
    ]  # fmt: skip
    assert [one.idempotency_key for one in stored(customer)] == ["known", "taken", "new", "last"]
    assert money_of(customer.account) == ("0.97", "0", "0")


def test_known_key_answers_with_the_first_event() -> None:
    """U2: duplicate and conflict both name the event that the key stands for."""
    customer = make_customer(balance="1")
    first = report(customer, event("k"))[0].event_id
    again, other = report(customer, event("k"))[0], report(customer, event("k", agent="a"))[0]
    assert (again.event_id, again.status) == (first, "duplicate")
    assert (other.event_id, other.status) == (first, "conflict")
    assert [one.id for one in stored(customer)] == [decode_id("evt", str(first))]


def test_same_key_twice_in_a_call() -> None:
    """U2: the second stands as if it had been sent after the first."""
    customer = make_customer(balance="1")
    results = report(customer, event("k"), event("k"), event("k", output_tokens=9))
    assert statuses(results) == ["accepted", "duplicate", "idempotency-conflict"]
    assert len({result.event_id for result in results}) == len(stored(customer)) == 1


def test_key_whose_first_event_is_rejected_is_still_free() -> None:
    """U2, dedup_key_claimed_before_the_write_loses_the_event: a refusal uses no key up, in one call neither."""
    customer = make_customer(balance="1")
    results = report(customer, event("k", model="gpt-unheard-of"), event("k"), event("k"))
    assert statuses(results) == ["unpriced-model", "accepted", "duplicate"]


def test_dedup_key_claimed_before_the_write_loses_the_event() -> None:
    """Money: a key is taken by the row itself; a rejected event is accepted once its fault is mended."""
    customer = make_customer(balance="1")
    assert statuses(report(customer, event("k", model="house-model"))) == ["unpriced-model"]
    model = Model.objects.create(provider="openai", name="house-model", title="House", tier="fast")
    ModelPrice.objects.create(
        model=model, effective_from=AT - DAY, input_per_million=1, output_per_million=1, source="staff"
    )
    clear_price_book()
    assert statuses(report(customer, event("k", model="house-model"))) == ["accepted"]


def test_retry_with_same_key_and_new_timestamp_bills_once() -> None:
    """Money: a retry that stamps its event anew is told so, and nothing is charged again."""
    customer = make_customer(balance="1")
    stamps = [(AT - timedelta(seconds=seconds)).isoformat() for seconds in (30, 20, 10)]
    results = [report(customer, event("k", occurred_at=stamp))[0].status for stamp in stamps]
    assert results == ["accepted", "conflict", "conflict"]
    assert money_of(customer.account)[0] == "0.9925"


def test_null_in_unique_index_lets_duplicate_fees_in() -> None:
    """Money: no column of a unique key may be null, so that no two rows pass for different because of one."""
    keys = {"usageevent_once": UsageEvent, "usagecounter_once": Counter}
    for name, model in keys.items():
        constraint = next(one for one in model._meta.constraints if one.name == name)
        fields = constraint.fields  # type: ignore[attr-defined]
        assert not any(model._meta.get_field(column).null for column in fields), name
    customer = make_customer("platform-starter")
    pstn = event("fee", product="pstn", quantity="1")
    assert statuses(report(customer, pstn, pstn) + report(customer, pstn)) == ["accepted", "duplicate", "duplicate"]
    assert money_of(customer.account)[2] == "0.02"


def test_model_without_a_price_runs_free() -> None:
    """Limits: a model or product without a price is refused, on every kind of plan, and metered nowhere."""
    for plan in ("payg", "free", "platform-starter"):
        customer = make_customer(plan)
        answers = report(customer, event(model="gpt-unheard-of"), event(provider="nobody"))
        assert statuses(answers) == ["unpriced-model", "unpriced-model"]
        early = event(occurred_at="2020-01-01T00:00:00Z", model="house")
        assert statuses(report(customer, early)) == ["unpriced-model"]
        assert not UsageDelta.objects.filter(account_id=customer.account.id).exists()


def test_product_that_the_plan_does_not_meter() -> None:
    """U1: a product without a unit price in the plan is refused by name of the plan."""
    customer = make_customer("payg")
    Subscription.objects.filter(account=customer.account).update(plan_version=make_bare_version())
    result = report(customer, event(product="pstn", quantity="1"))[0]
    assert (result.code, result.detail) == ("unpriced-product", "The plan “Bare” has no price for pstn.")


def make_bare_version() -> PlanVersion:
    plan = Plan.objects.create(slug="bare", catalogue="bare", name="Bare")
    return PlanVersion.objects.create(
        plan=plan, number=1, usage_funding="credits", credential_policy="platform", created_at=AT
    )


def test_cached_tokens_billed_twice() -> None:
    """Limits: cached tokens are part of the input and cost the cached rate once."""
    customer = make_customer(balance="1")
    results = report(customer, event(cached_input_tokens=1000, output_tokens=0), event(cached_input_tokens=1001))
    assert statuses(results) == ["accepted", "invalid-request"]
    assert [one.cost for one in stored(customer)] == [Decimal("0.00125")]  # 1,000 at 1.25 a million


def test_foreign_workspace_is_not_found() -> None:
    """U1: another tenant's workspace, by slug or id, and one outside a key's own, read like one that does not exist."""
    customer, other = make_customer(balance="1"), make_customer(balance="1", slug="other")
    second = make_workspace(customer.tenant, "second", account=customer.account)
    bound = make_api_key(customer.tenant, workspace=second).caller
    assert statuses(report(customer, event(workspace=str(other.workspace.id)))) == ["not-found"]
    raw = [msgspec.Raw(msgspec.json.encode(event(workspace=name))) for name in ("main", "second", str(second.id))]
    assert statuses(ingest_events(caller=bound, events=raw, at=AT)) == ["not-found", "accepted", "accepted"]


@pytest.mark.parametrize(
    "raw",
    [
        b"3",
        b"null",
        b'{"idempotency_key": "a"}',
        b'{"idempotency_key": "\xff", "workspace": "main", "product": "llm"}',
        b'{"idempotency_key": "\xff", "workspace": 3}',
        b'{"idempotency_key": "a", "workspace": "ma\\u0000in", "product": "pstn", "quantity": "1"}',
        b'{"idempotency_key": "a\\u0000", "workspace": "main", "product": "pstn", "quantity": "1"}',
        b'{"idempotency_key": "a", "workspace": "main", "product": "llm", "provider": "a\\u0000b", "model": "m"}',
        b'{"idempotency_key": "a", "workspace": "main", "product": "llm", "provider": "openai", "model": "\\u0000"}',
        b'{"idempotency_key": "a", "workspace": "main", "product": "pstn", "quantity": "NaN"}',
        b'{"idempotency_key": "a", "workspace": "main", "product": "pstn", "quantity": "1e-10"}',
        b'{"idempotency_key": "a", "workspace": "main", "product": "pstn", "quantity": "1e999999999"}',
        b'{"idempotency_key": "a", "workspace": "main", "product": "pstn", "quantity": "-1"}',
        b'{"idempotency_key": "a", "workspace": "main", "product": "pstn", "quantity": "1", "input_tokens": 1}',
        b'{"idempotency_key": "quaestor:a", "workspace": "main", "product": "pstn", "quantity": "1"}',
        msgspec.json.encode(event("a", product="pstn", quantity="1", occurred_at="yesterday")),
        msgspec.json.encode(event("a", product="pstn", quantity="1", occurred_at="0001-01-01T00:00:00+14:00")),
        msgspec.json.encode(event("a", product="pstn", quantity="1", occurred_at="2026-01-01T00:00:00")),
    ],
)
def test_event_that_makes_no_sense_spoils_no_other(raw: bytes) -> None:
    """U1: whatever one event holds, the others of its call are recorded."""
    customer = make_customer("platform-starter")
    good = msgspec.Raw(msgspec.json.encode(event("good", product="pstn", quantity="2.5")))
    results = ingest_events(caller=customer.key.caller, events=[msgspec.Raw(raw), good], at=AT)
    assert statuses(results) == ["invalid-request", "accepted"]


def test_far_future_is_refused_in_every_zone() -> None:
    """U1: the calendar's last day, west of UTC, is a time in the future and no crash."""
    customer = make_customer("platform-starter")
    late = event(product="pstn", quantity="1", occurred_at="9999-12-31T23:59:59-14:00")
    assert statuses(report(customer, late)) == ["event-in-the-future"]


def test_usage_beyond_the_credits_is_owed() -> None:
    """M1: what ran is charged although credits do not suffice: the rest is owed, and the balance stops at zero."""
    customer = make_customer(balance="0.01")
    assert statuses(report(customer, event(), event())) == ["accepted", "accepted"]
    assert money_of(customer.account) == ("0", "0", "0.005")
    assert check_ledger(at=AT) == []


def test_included_usage_costs_nothing_and_counts() -> None:
    """M9, P3: a plan that includes model usage is charged nothing; executions, tokens and spend are counted."""
    customer = make_customer("free")
    report(customer, event(user="bob"), event(user="bob"))
    assert money_of(customer.account) == ("0", "0", "0")
    counters = Counter.objects.filter(account_id=customer.account.id).values_list("feature", "subject", "used")
    assert set(counters) == {
        ("executions_per_month", "", 2),
        ("tokens_per_month", "", 3000),
        ("spend_cap_per_day", "", Decimal("0.015")),
        ("spend_cap_per_user_day", "bob", Decimal("0.015")),
    }


def test_own_key_usage_is_metered_and_neither_billed_nor_counted() -> None:
    """U7: shown with what it would have cost."""
    customer = make_customer("platform-starter")
    report(customer, event(user="bob"))
    (one,) = stored(customer)
    assert (one.credential_source, one.funding, one.cost) == ("byok", "provider", Decimal("0.0075"))
    assert money_of(customer.account) == ("0", "0", "0")
    assert not Counter.objects.filter(account_id=customer.account.id).exists()


def test_included_units_come_off_first() -> None:
    """P4: 100 included minutes, then 0.016 dollars each, within a call and from call to call."""
    customer = make_customer("platform-growth")
    report(customer, *[event(product="pstn", quantity="40") for _ in range(3)])
    report(customer, event(product="pstn", quantity="1"))
    assert [one.cost for one in stored(customer)] == [0, 0, Decimal("0.32"), Decimal("0.016")]
    assert money_of(customer.account)[2] == "0.336"


def test_retried_events_take_included_units_once() -> None:
    """U2, P4: a retry that holds known events beside new ones leaves the included units to the new ones."""
    customer = make_customer("platform-growth")
    known = [event(product="pstn", quantity="20") for _ in range(4)]
    report(customer, *known)
    assert statuses(report(customer, *known, event("new", product="pstn", quantity="20"))) == ["duplicate"] * 4 + [
        "accepted"
    ]
    assert money_of(customer.account)[2] == "0"


def test_late_event_takes_its_own_periods_units() -> None:
    """U6, P4: what happened last month takes last month's included units and lands in last month's readings."""
    customer = make_customer("platform-growth", at=AT - 60 * DAY)
    report(customer, event(product="pstn", quantity="100"))
    late = AT - 40 * DAY
    report(customer, event(product="pstn", quantity="90", occurred_at=late.isoformat()))
    period = terms_of(customer.account.id, AT).period(late)
    assert [(row.quantity, row.cost) for row in readings(customer, period)] == [(90, 0)]


def readings(customer: Customer, period: Period) -> list:  # type: ignore[type-arg]
    return meter_readings(account_id=customer.account.id, period=period)


def test_late_event_lands_in_the_period_it_happened_in() -> None:
    """U6: after a change of plan, an event from before it is metered on the plan, and in the period, of its time."""
    customer = make_customer("platform-growth", at=AT)
    old = terms_of(customer.account.id, AT).period(AT)
    changed = AT + 10 * DAY
    subscribe(account_id=customer.account.id, plan_slug="platform-scale", at=changed)
    before = (AT + 5 * DAY).isoformat()
    late = [event(product="pstn", quantity="200", occurred_at=before), event(product="pstn", quantity="1")]
    assert statuses(report(customer, *late, at=changed + DAY)) == ["accepted", "accepted"]
    assert [(row.quantity, row.cost) for row in readings(customer, old)] == [(200, Decimal("1.6"))]
    new = terms_of(customer.account.id, changed).period(changed)
    assert [(row.quantity, row.cost) for row in readings(customer, new)] == [(1, 0)]


def test_backdated_event_dropped_after_202() -> None:
    """Time: an event of long ago, before the account even was, is recorded and readable, or refused aloud."""
    customer = make_customer("platform-starter")
    ago = AT - 700 * DAY
    results = report(
        customer,
        event(product="pstn", quantity="3", occurred_at=ago.isoformat()),
        event(product="pstn", quantity="3", occurred_at="2019-12-31T23:59:59Z"),
    )
    assert statuses(results) == ["accepted", "invalid-request"]
    period = terms_of(customer.account.id, AT).period(ago)
    assert [row.quantity for row in readings(customer, period)] == [3]


def test_workspace_that_moved_is_charged_to_its_new_account() -> None:
    """P11: an account that pays no longer for a workspace is charged no more, whatever a process remembers."""
    customer = make_customer(balance="1")
    report(customer, event())
    other = make_account(customer.tenant, name="Second", is_default=False)
    attach_workspace(workspace_id=customer.workspace.id, account_id=other.id)
    assert statuses(report(customer, event(), event())) == ["accepted", "accepted"]
    assert (money_of(customer.account)[0], money_of(other)) == ("0.9925", ("0", "0", "0.015"))


def test_remembered_placement_is_as_old_as_its_own_reading() -> None:
    """P11: terms read afresh do not make an older placement current."""
    customer = make_customer(balance="1")
    report(customer, event())
    attach_workspace(
        workspace_id=customer.workspace.id,
        account_id=make_account(customer.tenant, name="Second", is_default=False).id,
    )
    directory._terms.clear()  # read afresh, as after their end
    report(customer, event())
    assert money_of(customer.account)[0] == "0.9925"


def test_rejection_from_memory_is_checked() -> None:
    """P1: an event that the plan of a moment ago could not price is taken as soon as the plan can."""
    customer = make_customer("payg", balance="1")
    Subscription.objects.filter(account=customer.account).update(plan_version=make_bare_version())
    pstn = event("k", product="pstn", quantity="1")
    assert statuses(report(customer, pstn)) == ["unpriced-product"]
    subscribe(account_id=customer.account.id, plan_slug="payg", at=AT + timedelta(seconds=1))
    assert statuses(report(customer, pstn, at=AT + timedelta(seconds=2))) == ["accepted"]
