"""What all periods of an account sum up to, and who pays for it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.subscriptions.models import Subscription
from billing.subscriptions.services.subscribe import subscribe
from billing.usage.account_fundings import fundings_of
from billing.usage.account_sums import account_sums, event_sums
from billing.usage.services.flush_rollups import flush_all_rollups
from tests.make import AT, make_customer, make_workspace
from tests.money_make import event, report

pytestmark = pytest.mark.usefixtures("catalogue")
DAY = timedelta(days=1)


def test_all_periods_in_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """U4, I1: folded and waiting usage of all workspaces, by period; later periods and other accounts are left out."""
    customer, other = make_customer(balance="10"), make_customer(balance="10")
    make_workspace(customer.tenant, "more", account=customer.account)
    report(customer, event(), event(workspace="more"), event(occurred_at=(AT - 40 * DAY).isoformat()))
    flush_all_rollups()
    report(customer, event(model="gpt-4o-mini"), event(product="pstn", quantity="2.5"))
    report(other, event())
    start = AT.replace(hour=0)
    with django_assert_num_queries(1):
        sums = list(account_sums(customer.account.id, before=start + DAY))
    assert [(one.period_start < start, one.product, one.model, one.requests, one.cost) for one in sums] == [
        (True, "llm", "gpt-4o", 1, Decimal("0.0075")),
        (False, "llm", "gpt-4o", 2, Decimal("0.015")),
        (False, "llm", "gpt-4o-mini", 1, Decimal("0.00045")),
        (False, "pstn", "", 0, Decimal("0.045")),
    ]
    assert [one.period_start < start for one in account_sums(customer.account.id, before=start)] == [True]


@pytest.mark.parametrize(
    ("plan", "fundings"),
    [("payg", ["credits", "credits"]), ("pro", ["included", "invoice"]), ("free", ["included", "invoice"])],
)
def test_who_pays_is_what_events_say(plan: str, fundings: list[str]) -> None:
    """U7, I1: what the plans of a period tell of a sum is what its events were recorded with."""
    customer = make_customer(plan, balance="10")
    report(customer, event(), event(product="pstn", quantity="1"))
    known = fundings_of(customer.account.id)
    sums = list(account_sums(customer.account.id, before=AT + DAY))
    assert [known.funding_of(one, one.period_start) for one in sums] == fundings
    recorded = event_sums(customer.account.id, period_start=sums[0].period_start)
    assert sorted(funding for _, funding in recorded) == sorted(fundings)


def test_two_kinds_of_plans_in_one_period() -> None:
    """I1: then a sum alone does not tell; overage and own keys are what they are on any plan."""
    customer = make_customer(balance="10")
    report(customer, event(), event(product="pstn", quantity="1"))
    present = subscribe(account_id=customer.account.id, plan_slug="pro", at=AT + DAY)
    Subscription.objects.filter(id=present.id).update(anchor=AT.replace(hour=0))
    known = fundings_of(customer.account.id)
    sums = list(account_sums(customer.account.id, before=AT + DAY))
    assert [known.funding_of(one, one.period_start) for one in sums] == [None, None]
    later = [replace(one, period_start=AT + 35 * DAY) for one in sums]
    assert [known.funding_of(one, one.period_start) for one in later] == ["included", "invoice"]
