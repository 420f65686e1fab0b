"""Events of a workspace that another account pays for by now."""

from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.core.ids import encode_id
from billing.core.problems import Problem
from billing.credits.services.check_ledger import check_ledger
from billing.plans.models import Plan, PlanVersion
from billing.subscriptions import directory
from billing.subscriptions.models import FormerAccount, Subscription, WorkspaceBilling
from billing.subscriptions.services.attach_workspace import attach_workspace
from billing.usage.inputs import EventResult
from billing.usage.models import UsageEvent
from tests.make import AT, Customer, make_customer, make_workspace
from tests.money_make import event, in_threads, money_of, report, statuses
from tests.moving import make_second, move, overtaking


def balances(customer: Customer) -> list[str]:
    accounts = customer.tenant.billing_accounts.order_by("signed_up_at", "id")
    return [money_of(account)[0] for account in accounts]


def insist(customer: Customer, *events: dict[str, Any]) -> list[EventResult]:
    """Report as a client does that is told now and then that the account keeps changing."""
    while True:
        with suppress(Problem):
            return report(customer, *events)


@pytest.mark.usefixtures("catalogue")
def test_retry_with_same_key_and_new_timestamp_bills_once() -> None:
    """U2, P11: after a move the same body is a duplicate of the first event, another one a conflict with it."""
    customer = make_customer(balance="1")
    (first,) = report(customer, event("k"))
    move(customer, make_second(customer))
    again, other, new = report(customer, event("k"), event("k", agent="a"), event("new"))
    assert statuses([again, other, new]) == ["duplicate", "idempotency-conflict", "accepted"]
    assert again.event_id == other.event_id == first.event_id != new.event_id
    assert statuses(report(customer, event("k"))) == ["duplicate"]
    assert balances(customer) == ["0.9925", "0.9925"]
    assert check_ledger(at=AT) == []


@pytest.mark.usefixtures("catalogue")
def test_there_and_back() -> None:
    """U2, P11: a key stays known wherever the workspace goes, and the account that pays does not count as a former."""
    customer = make_customer(balance="1")
    second, third = make_second(customer), make_second(customer, name="Third")
    first: dict[str, str | None] = {}
    for key, account in (("a", customer.account), ("b", second), ("c", customer.account), ("d", third), ("e", second)):
        move(customer, account)
        results = report(customer, *[event(known) for known in first], event(key))
        assert [result.event_id for result in results[:-1]] == list(first.values())
        assert statuses(results) == ["duplicate"] * len(first) + ["accepted"]
        first[key] = results[-1].event_id
        placement = directory.place(tenant_id=customer.tenant.id, workspace="main")
        assert placement is not None
        assert account.id not in placement.former
    assert balances(customer) == ["0.985", "0.985", "0.9925"]


@pytest.mark.usefixtures("catalogue")
def test_key_of_another_workspace_is_another_key() -> None:
    """U2: under an old account only the moved workspace's own events count; neither do those of one that stays."""
    customer = make_customer(balance="1")
    make_workspace(customer.tenant, "stays", account=customer.account)
    second = make_second(customer)
    make_workspace(customer.tenant, "there", account=second)
    report(customer, event("a", workspace="stays"), event("k"))
    move(customer, second)
    assert statuses(report(customer, event("a"))) == ["accepted"]
    results = report(customer, event("k", workspace="there"), event("k"), event("a", workspace="stays"))
    assert statuses(results) == ["accepted", "duplicate", "duplicate"]
    assert UsageEvent.objects.filter(idempotency_key="k").count() == 2


@pytest.mark.usefixtures("catalogue")
def test_event_that_the_new_plan_has_no_price_for() -> None:
    """U2: what was recorded is answered as then, whatever the new account's plan would say of it."""
    customer = make_customer("platform-growth")
    pstn = event("k", product="pstn", quantity="40")
    (first,) = report(customer, pstn)
    second = make_second(customer)
    bare = Plan.objects.create(slug="bare", catalogue="bare", name="Bare")
    version = PlanVersion.objects.create(
        plan=bare, number=1, usage_funding="credits", credential_policy="platform", created_at=AT
    )
    Subscription.objects.filter(account=second).update(plan_version=version)
    move(customer, second)
    again, other = report(customer, pstn, event(product="pstn", quantity="40"))
    assert (again.status, again.event_id, other.code) == ("duplicate", first.event_id, "unpriced-product")


@pytest.mark.usefixtures("catalogue")
def test_move_by_hand_is_remembered() -> None:
    """P11: changed in SQL, or deleted and added again; a link written without a change leaves no trace."""
    customer = make_customer(balance="1")
    first, second = report(customer, event("k"))[0], make_second(customer)
    move(customer, customer.account)
    assert not FormerAccount.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE billing_subscriptions_workspacebilling SET account_id = %s", [second.id])
    assert report(customer, event("k"))[0].event_id == first.event_id
    later = report(customer, event("later"))[0]
    WorkspaceBilling.objects.all().delete()
    attach_workspace(workspace_id=customer.workspace.id, account_id=make_second(customer, name="Third").id)
    results = report(customer, event("k"), event("later"))
    assert [result.event_id for result in results] == [first.event_id, later.event_id]
    assert set(FormerAccount.objects.values_list("account_id", flat=True)) == {customer.account.id, second.id}


@pytest.mark.usefixtures("catalogue")
def test_workspace_that_never_moved_asks_nothing_more() -> None:
    """U2: neither a query nor a lock, whatever became of its neighbours; a moved one costs two queries."""
    customer = make_customer(balance="1")
    second = make_second(customer)
    make_workspace(customer.tenant, "stays", account=second)
    counts = []
    for moved, workspace in ((False, "stays"), (True, "stays"), (True, "main")):
        if moved:
            move(customer, second)
        report(customer, event(workspace=workspace))
        with CaptureQueriesContext(connection) as queries:
            report(customer, event(workspace=workspace))
        counts.append(len(queries))
        assert sum("FOR NO KEY UPDATE" in query["sql"] for query in queries) == (workspace == "main")
    assert (counts[1], counts[2]) == (counts[0], counts[0] + 2)


@pytest.mark.usefixtures("own_database")
def test_call_under_way_under_the_old_account_is_waited_for() -> None:
    """U2, P11: a retry that overtakes its first call, whose workspace moves meanwhile, is answered as that call."""
    customer = make_customer(balance="1")
    second = make_second(customer)
    report(customer, event())
    with overtaking(lambda: report(customer, event("k"))) as begin:
        (first,) = report(customer, event("k"))
        retry = begin(second, customer)
    (again,) = retry.result(timeout=20)
    assert (first.status, again.status, again.event_id) == ("accepted", "duplicate", first.event_id)
    assert balances(customer) == ["0.985", "1"]


@pytest.mark.usefixtures("own_database")
def test_retries_while_the_workspace_moves_to_and_fro() -> None:
    """U2, P11: whoever records a key first, and under which account, it is recorded once; no two wait in a circle."""
    customer = make_customer(balance="1")
    second = make_second(customer)
    accounts = [customer.account, second]

    def work(number: int) -> None:
        if number % 4 == 0:
            move(customer, accounts[number // 4 % 2])
        else:
            results = insist(customer, *[event(f"k{key}") for key in range(number // 16, number // 16 + 4)])
            assert {result.status for result in results} <= {"accepted", "duplicate"}

    in_threads(work, 96, threads=8)
    keys = list(UsageEvent.objects.values_list("idempotency_key", flat=True))
    assert sorted(keys) == sorted(f"k{key}" for key in range(9))
    assert {encode_id("evt", one) for one in UsageEvent.objects.values_list("id", flat=True)} == {
        result.event_id for result in report(customer, *[event(key) for key in keys])
    }
    assert check_ledger(at=AT) == []
