"""Making rollups and counters again from events: the same figures, and what was wrong before."""

import io
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F, Model

from billing.core.ids import encode_id
from billing.subscriptions.models import BillingAccount, EntitlementOverride
from billing.subscriptions.services.subscribe import subscribe
from billing.usage.differences import differences_of
from billing.usage.models import (
    Counter,
    PeriodRollup,
    PlaceRollup,
    SessionRollup,
    UsageDelta,
    UsageEvent,
    UsageRollup,
    UsageWatch,
)
from billing.usage.services.flush_rollups import flush_all_rollups, flush_rollups
from billing.usage.services.rebuild_rollups import Rebuilt, rebuild_rollups
from billing.usage.services.reverse_event import reverse_event
from tenants.services.record_audit import SYSTEM
from tests.make import AT, Customer, make_customer, make_workspace
from tests.money_make import event, finish, in_threads, report, start
from tests.runtime.limits import control

DAY = timedelta(days=1)
ROLLUPS = (PeriodRollup, UsageRollup, PlaceRollup, SessionRollup)


def figures(customer: Customer) -> list[set[tuple[Any, ...]]]:
    """Everything that rollups and counters say of an account, without their own ids."""
    account_id = customer.account.id
    rows = [set(model.objects.filter(account_id=account_id).values_list(*columns(model))) for model in ROLLUPS]
    counters = Counter.objects.filter(account_id=account_id)
    return [*rows, set(counters.values_list("feature", "subject", "window_start", "used", "reserved"))]


def columns(model: type[Model]) -> list[str]:
    return [one.name for one in model._meta.fields if one.name != "id"]


def differences(customer: Customer) -> list[str]:
    return differences_of(account_id=customer.account.id, period_start=None)


def rebuild(customer: Customer, period_start: datetime | None = None) -> Rebuilt:
    return rebuild_rollups(account_id=customer.account.id, period_start=period_start, at=AT)


def make_history(plan: str = "free") -> Customer:
    """Late, reversed and own-key events, tries, products, runs past the limit; several periods and a change of plan."""
    customer = make_customer(plan, balance="100", at=datetime(2025, 12, 31, tzinfo=UTC))
    make_workspace(customer.tenant, "second", account=customer.account)
    for days in (0, 1, 11, 31, 40, 69, 80):
        place = {"office": f"o{days % 2}", "agent": f"a{days % 3}", "session": f"s{days % 4}", "user": f"u{days % 2}"}
        when = (AT - days * DAY).isoformat()
        report(
            customer,
            event(occurred_at=when, **place),
            event(occurred_at=when, workspace="second", product="pstn", quantity="1.25", session="call"),
        )
        if days == 31:
            flush_all_rollups()
            subscribe(account_id=customer.account.id, plan_slug="pro", at=AT - 2 * DAY)
    EntitlementOverride.objects.create(
        account_id=customer.account.id, feature="executions_per_month", value=2, created_at=AT
    )
    control(customer, overage_enabled=True, overage_ceiling="1.00")
    for _ in range(3):
        finish(customer, start(customer, user="u1", session="live"))
    finish(customer, start(customer, sandbox=True))
    start(customer)
    assert UsageEvent.objects.filter(account_id=customer.account.id, product="executions").exists()
    wrong = UsageEvent.objects.filter(account_id=customer.account.id, product="llm").first()
    assert wrong is not None
    reverse_event(account_id=customer.account.id, event_id=wrong.id, reason="wrong", at=AT, actor=SYSTEM)
    return customer


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("plan", ["free", "payg", "platform-starter"])
def test_rebuild_gives_the_same_figures(plan: str) -> None:
    """U4: nothing differs, folded or not; what is lost or wrong comes back as it was; nobody else's changes."""
    customer, other = make_history(plan), make_history()
    assert differences(customer) == []
    flush_all_rollups()
    before, elsewhere = figures(customer), figures(other)
    assert differences(customer) == []
    for model in ROLLUPS:
        model.objects.filter(account_id=customer.account.id).delete()
    Counter.objects.filter(account_id=customer.account.id).update(used=F("used") * 3 + 1)
    rebuilt = rebuild(customer)
    events = UsageEvent.objects.filter(account_id=customer.account.id)
    assert (rebuilt.periods, rebuilt.events) == (len(set(events.values_list("period_start"))), events.count())
    assert len(rebuilt.differences) > 20
    assert (figures(customer), figures(other), differences(customer)) == (before, elsewhere, [])
    assert rebuild(customer) == Rebuilt(rebuilt.periods, rebuilt.events, [])
    assert UsageWatch.objects.filter(account_id=customer.account.id).exists()


@pytest.mark.usefixtures("catalogue")
def test_what_is_not_folded_is_rebuilt_too() -> None:
    """U4: deltas of the account go, folded or lost; the figures that are read stay what events say."""
    customer = make_history()
    UsageDelta.objects.filter(account_id=customer.account.id, product="pstn").delete()
    assert any(line.startswith("place rollup") for line in differences(customer))
    rebuild(customer)
    assert not UsageDelta.objects.filter(account_id=customer.account.id).exists()
    assert (flush_all_rollups(), differences(customer)) == (0, [])


@pytest.mark.usefixtures("catalogue")
def test_differences_are_named_exactly() -> None:
    """U4: one line for each wrong figure, with what is read and what events come to."""
    customer = make_customer("pro", at=AT - DAY)
    report(customer, event(session="s", user="ann"))
    flush_all_rollups()
    PeriodRollup.objects.update(cost=7)
    SessionRollup.objects.update(requests=3, last_at=AT + DAY)
    Counter.objects.filter(feature="spend_cap_per_user_day").update(used=9)
    place = f"from 2026-03-09 12:00, {customer.workspace.id}"
    expected = [
        f"period rollup {place} llm token openai gpt-4o platform: cost is 7, events say 0.0075",
        f"session rollup {place} s: last_at is 2026-03-11 12:00:00+00, events say 2026-03-10 12:00:00+00",
        f"session rollup {place} s: requests is 3, events say 1",
        "counter spend_cap_per_user_day of ann from 2026-03-10 00:00: used is 9, events say 0.0075",
    ]
    assert differences(customer) == expected
    assert (rebuild(customer).differences, differences(customer)) == (expected, [])


@pytest.mark.usefixtures("catalogue")
def test_one_period_alone() -> None:
    """U4, P5: of the others nothing is written, besides counters of days that both have a part of."""
    customer = make_customer("free", at=datetime(2026, 1, 31, tzinfo=UTC))
    for day in ("2026-02-27", "2026-02-28", "2026-03-01"):
        report(customer, event(occurred_at=f"{day}T10:00:00Z", user="ann"))
    flush_all_rollups()
    before = figures(customer)
    PeriodRollup.objects.update(cost=7)
    Counter.objects.update(used=9)
    rebuilt = rebuild(customer, datetime(2026, 2, 28, tzinfo=UTC))
    assert (rebuilt.periods, rebuilt.events) == (1, 2)
    assert not [line for line in rebuilt.differences if "2026-02-27" in line or "2026-01-31" in line]
    left = differences(customer)
    assert sorted(line.split(" from ")[1][:10] for line in left) == ["2026-01-31"] * 3 + ["2026-02-27"] * 2
    rebuild(customer, datetime(2026, 1, 31, tzinfo=UTC))
    assert figures(customer) == before


@pytest.mark.usefixtures("own_database")
def test_rebuilds_at_once_while_usage_comes_in_and_is_folded() -> None:
    """U4: two rebuilds, three writers and two workers at a time; at the end every figure is what events come to."""
    customer = make_history()
    writers = threading.Barrier(3)
    written = threading.Event()

    def work(number: int) -> Sequence[str]:
        if number < 3:
            for turn in range(12):
                report(customer, *[event(session=f"s{turn % 5}", user=f"u{number}") for _ in range(4)])
                finish(customer, start(customer, sandbox=bool(turn % 2)))
            writers.wait()
            written.set()
        wrong: list[str] = []
        while not written.is_set():
            if number < 5:
                wrong += rebuild(customer).differences
            else:
                flush_rollups(limit=5)
        return wrong

    assert [line for found in in_threads(work, 7, threads=7) for line in found] == []
    assert differences(customer) == []
    flush_all_rollups()
    assert differences(customer) == []
    assert not UsageDelta.objects.exists()


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("rebuild_rollups", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.usefixtures("catalogue")
def test_command() -> None:
    """U4: progress account by account; `--check` changes nothing and ends with an error; an account or period alone."""
    first, second = make_customer("free", slug="first"), make_customer("free", slug="second")
    make_customer("free", slug="third")
    for customer in (first, second):
        report(customer, event(occurred_at="2026-03-10T10:00:00Z"))
    flush_all_rollups()
    assert run("--check")[0].endswith("All figures are what their events come to.\n")
    PeriodRollup.objects.update(cost=7)
    with pytest.raises(CommandError, match="2 figures differ"):
        run("--check")
    assert PeriodRollup.objects.filter(cost=7).count() == 2
    assert (
        run("--account", "third")[0]
        == f"1/1 {named('third')}: 0 differences\nAll figures are what their events come to.\n"
    )
    out, err = run("--account", encode_id("acc", first.account.id))
    assert out == f"1/1 {named('first')}: 1 differences\n1 figures made right.\n"
    assert "cost is 7, events say 0.0075" in err
    assert run("--period", "2026-02-10")[0].count(": 0 differences") == 3
    assert ": 1 differences" in run("--period", "2026-03-12")[0]
    assert run("--check")[1] == ""
    with pytest.raises(CommandError, match="There is no account"):
        run("--account", "nobody")


def named(slug: str) -> str:
    return encode_id("acc", BillingAccount.objects.get(tenant__slug=slug).id)
