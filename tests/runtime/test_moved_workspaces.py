"""Runs of a workspace that another account pays for by now."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.core.problems import Problem
from billing.credits.services.check_ledger import check_ledger
from billing.runtime.models import Authorization
from billing.subscriptions import directory
from billing.usage.models import UsageEvent
from tests.make import AT, make_customer, make_workspace
from tests.money_make import abandon, finish, money_of, start
from tests.moving import make_second, move, overtaking


@pytest.mark.usefixtures("catalogue")
def test_key_answers_as_the_first_time() -> None:
    """M2, P11: after a move the same request is the first authorization, another one a conflict."""
    customer = make_customer(balance="1")
    first, second = start(customer, idempotency_key="k"), make_second(customer)
    move(customer, second)
    assert start(customer, idempotency_key="k") == first
    with pytest.raises(Problem, match="idempotency-conflict"):
        start(customer, idempotency_key="k", agent="a")
    new = start(customer, idempotency_key="new")
    assert new.id != first.id
    move(customer, customer.account)
    assert [start(customer, idempotency_key=key) for key in ("k", "new")] == [first, new]
    assert (money_of(customer.account)[1], money_of(second)[1]) == ("0.0075", "0.0075")


@pytest.mark.usefixtures("catalogue")
def test_key_that_the_new_account_cannot_pay_for() -> None:
    """M2, P11: what was granted is answered as then, and what was not is decided under the new account."""
    customer = make_customer(balance="1")
    first = start(customer, idempotency_key="k")
    move(customer, make_second(customer, balance="0.001"))
    assert start(customer, idempotency_key="k") == first
    with pytest.raises(Problem, match="insufficient-credits"):
        start(customer, idempotency_key="new")


@pytest.mark.usefixtures("catalogue")
def test_key_of_another_workspace_is_another_key() -> None:
    """M2: under an old account only the moved workspace's own runs count."""
    customer = make_customer(balance="1")
    make_workspace(customer.tenant, "stays", account=customer.account)
    theirs = start(customer, idempotency_key="k", workspace="stays")
    move(customer, make_second(customer))
    ours = start(customer, idempotency_key="k")
    assert ours.id != theirs.id
    assert start(customer, idempotency_key="k", workspace="stays") == theirs


@pytest.mark.usefixtures("catalogue")
def test_run_of_before_the_move_is_closed_after_it() -> None:
    """M2, P11: settled or voided where it was granted: the hold and the charge are the old account's."""
    customer = make_customer(balance="1")
    settled, voided, second = start(customer, idempotency_key="k"), start(customer), make_second(customer)
    move(customer, second)
    answer = finish(customer, settled)
    assert finish(customer, settled) == answer
    assert abandon(customer, voided).state == "voided"
    assert start(customer, idempotency_key="k").state == "settled"
    assert UsageEvent.objects.get().account_id == customer.account.id
    assert (money_of(customer.account), money_of(second)) == (("0.9925", "0", "0"), ("1", "0", "0"))
    assert check_ledger(at=AT) == []


@pytest.mark.usefixtures("catalogue")
def test_workspace_that_never_moved_asks_nothing_more() -> None:
    """M2: a run costs the same queries as before its neighbour moved; one of the neighbour costs a transaction more."""
    customer = make_customer(balance="1")
    second = make_second(customer)
    make_workspace(customer.tenant, "stays", account=second)
    start(customer, workspace="stays")
    counts = []
    for moved, workspace in ((False, "stays"), (True, "stays"), (False, "main")):
        if moved:
            move(customer, second)
        directory.forget_everything()
        start(customer, workspace=workspace)
        with CaptureQueriesContext(connection) as queries:
            start(customer, workspace=workspace)
        counts.append(sum("SAVEPOINT" not in query["sql"] for query in queries))
    assert (counts[1], counts[2]) == (counts[0], counts[0] + 2)


@pytest.mark.usefixtures("own_database")
def test_decision_under_way_under_the_old_account_is_waited_for() -> None:
    """M2, P11: a retry that overtakes its first call, whose workspace moves meanwhile, is answered as that call."""
    customer = make_customer(balance="1")
    second = make_second(customer)
    start(customer)
    with overtaking(lambda: start(customer, idempotency_key="k")) as begin:
        first = start(customer, idempotency_key="k")
        retry = begin(second, customer)
    assert retry.result(timeout=20) == first
    assert Authorization.objects.count() == 2
