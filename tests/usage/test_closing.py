"""What periods sum up to, for many accounts at once."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.subscriptions.queries import terms_of
from billing.usage.closing import period_sums_of
from billing.usage.services.flush_rollups import flush_all_rollups
from tests.make import AT, Customer, make_customer, make_workspace
from tests.money_make import event, report

pytestmark = pytest.mark.usefixtures("catalogue")


def test_sums_of_several_accounts(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """U4: one query; folded and waiting usage, of all workspaces, and of the asked periods alone."""
    first, second = make_customer(balance="10"), make_customer(balance="10", slug="second")
    make_workspace(first.tenant, "more", account=first.account)
    report(first, event(), event(workspace="more"), event(occurred_at=(AT - timedelta(days=90)).isoformat()))
    flush_all_rollups()
    report(first, event(model="gpt-4o-mini"))
    report(second, event(product="pstn", quantity="2.5"))
    report(make_customer(balance="10", slug="third"), event())
    periods = [(one.account.id, start_of(one)) for one in (first, second)]
    with django_assert_num_queries(1):
        sums = period_sums_of(periods)
    assert [(one.account_id, one.product, one.model, one.requests, one.quantity, one.cost) for one in sums] == [
        (first.account.id, "llm", "gpt-4o", 2, Decimal(3000), Decimal("0.015")),
        (first.account.id, "llm", "gpt-4o-mini", 1, Decimal(1500), Decimal("0.00045")),
        (second.account.id, "pstn", "", 0, Decimal("2.5"), Decimal("0.045")),
    ]
    assert period_sums_of([]) == []


def start_of(customer: Customer) -> datetime:
    return terms_of(customer.account.id, AT).period(AT).start
