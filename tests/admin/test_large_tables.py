"""Lists of tables that have millions of rows."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.usage.models import UsageEvent
from tenants.staff_admin import BoundedPaginator
from tests.admin.records import make_event, make_records
from tests.make import Customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
EVENTS = "admin:billing_usage_usageevent_changelist"


@pytest.fixture
def customer() -> Customer:
    customer = make_records(slug="acme")
    for number in range(4):
        make_event(customer, f"more-{number}")
    make_event(make_records(slug="other"), "their-own")
    return customer


def shown(staff: Client, **query: object) -> int:
    return len(staff.get(reverse(EVENTS), query).context["cl"].result_list)


def test_small_table_is_listed_whole(staff: Client, customer: Customer) -> None:
    """F2: a young installation sees all there is."""
    assert shown(staff) == 7


def test_large_table_asks_for_a_customer(staff: Client, customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """F2: once the table is large, a list is of one customer's rows, which an index leads to."""
    monkeypatch.setattr(BoundedPaginator, "bound", 3)
    response = staff.get(reverse(EVENTS))
    assert len(response.context["cl"].result_list) == 0
    assert "too large to list as a whole" in response.text
    assert shown(staff, account_id__exact=customer.account.id) == 5
    for term in (
        "acme",
        customer.tenant.id,
        customer.account.id,
        customer.workspace.id,
        f"acc_{customer.account.id.hex}",
    ):
        assert shown(staff, q=term) == 5
    assert shown(staff, q=UsageEvent.objects.all()[0].id) == 1


def test_count_stops_at_the_bound(staff: Client, customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """F2: counting costs the same however many rows there are."""
    monkeypatch.setattr(BoundedPaginator, "bound", 6)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = staff.get(reverse(EVENTS), {"q": "acme"})
    counts = [query["sql"] for query in queries if "COUNT(*)" in query["sql"] and "usageevent" in query["sql"]]
    assert counts
    assert all("LIMIT 6" in sql for sql in counts)
    assert page.context["cl"].result_count == 5


def test_names_of_accounts_are_shown(staff: Client, customer: Customer) -> None:
    """F2: a row without foreign keys still says whose it is, with a link."""
    text = staff.get(reverse(EVENTS)).text
    assert "Acme – Default" in text
    assert reverse("admin:billing_subscriptions_billingaccount_change", args=[customer.account.id]) in text
