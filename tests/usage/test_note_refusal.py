"""The alert of a limit that has refused a run."""

from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from billing.core.problems import Problem
from billing.notifications.models import Notice
from billing.usage.models import BurnAlert
from billing.usage.services import note_refusal as noting
from tests.make import Customer, make_customer
from tests.money_make import in_threads, start
from tests.runtime.limits import control, refusal, use_up
from tests.usage.alerting import alerts, mail, mails, watch

EXECUTIONS = "executions_per_month"


@pytest.fixture
def customer(catalogue: None) -> Customer:
    customer = make_customer("free")
    use_up(customer, EXECUTIONS, "100")
    return customer


def refused(customer: Customer, **changes: Any) -> Problem:
    return refusal(customer, **({"model": "gpt-4o-mini"} | changes))


def test_refusal_is_told_at_once_and_once(customer: Customer) -> None:
    """M9: the first refusal writes the alert of 100 %; those after it cost nothing, the worker adds what is below."""
    for _ in range(3):
        refused(customer)
    assert (alerts(customer), mails(customer)) == ([(EXECUTIONS, 100, True)], ["the period’s executions are used up"])
    with CaptureQueriesContext(connection) as captured:
        refused(customer)
    assert not [query["sql"] for query in captured if "burnalert" in query["sql"]]
    watch(customer)
    assert sorted(alerts(customer)) == [(EXECUTIONS, 50, False), (EXECUTIONS, 80, False), (EXECUTIONS, 100, True)]
    assert len(mails(customer)) == 1


def test_run_that_needs_more_than_is_left(catalogue: None) -> None:
    """M9: a limit that is not used up can refuse; the e-mail says so."""
    customer = make_customer("starter")
    use_up(customer, "tokens_per_month", "14999000")
    refusal(customer)
    assert mail(customer)[0] == (
        "Billing account “Default”, plan Free: 14,999,000 of 15,000,000 tokens used, 99 % of the limit of Free. "
        "A run that needed more than is left was refused."
    )


def test_ceiling_and_caps(catalogue: None) -> None:
    """P8, M9: whatever limit of money refuses is told of by its own name, a user's with the user."""
    customer = make_customer("pro")
    use_up(customer, EXECUTIONS, "5000")
    control(customer, overage_enabled=True, overage_ceiling="0.01", user_daily_cap="0.01")
    start(customer)
    refusal(customer)
    control(customer, overage_enabled=True, overage_ceiling="9.00", user_daily_cap="0.01", daily_cap="0.05")
    start(customer, user="bob")
    refusal(customer, user="bob")
    control(customer, overage_enabled=True, overage_ceiling="9.00", daily_cap="0.01")
    refusal(customer)
    rows = BurnAlert.objects.order_by("created_at", "id").values_list("feature", "subject", "threshold")
    assert list(rows) == [("overage", "", 100), ("spend_cap_per_user_day", "bob", 100), ("spend_cap_per_day", "", 100)]
    assert len(mails(customer)) == 3


def test_unwatched_limits_and_slowing_leave_nothing(catalogue: None) -> None:
    """M9, P7: a try in the sandbox, a throttle."""
    customer = make_customer("pro")
    use_up(customer, EXECUTIONS, "3001")
    use_up(customer, "sandbox_tries_per_day", "50")
    start(customer)
    assert [refusal(customer).code, refusal(customer, sandbox=True).code] == [
        "throttled",
        "quota-exceeded-sandbox-tries",
    ]
    assert not BurnAlert.objects.exists()


def test_trouble_leaves_the_refusal_as_it_is(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """M9, P6: an alert that cannot be written is tried again with the next refusal."""

    def broken(*_: object, **__: object) -> None:
        raise DatabaseError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(noting, "write_alerts", broken)
        assert refused(customer).code == "quota-exceeded-executions"
    assert alerts(customer) == []
    refused(customer)
    assert len(alerts(customer)) == 1


@pytest.mark.usefixtures("own_database")
def test_fifty_refusals_and_a_worker_at_once() -> None:
    """M9: one alert a threshold and one e-mail, whoever sees the limit first."""
    customer = make_customer("free")
    use_up(customer, EXECUTIONS, "100")

    def work(number: int) -> None:
        noting._noted.clear()  # each as a process of its own
        if number % 5:
            refused(customer)
        else:
            watch(customer)

    in_threads(work, 50)
    assert sorted(threshold for _, threshold, _ in alerts(customer)) == [50, 80, 100]
    assert Notice.objects.filter(tenant=customer.tenant).count() == 1
