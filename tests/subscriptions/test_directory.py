"""What a process remembers of accounts, and when it stops."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.subscriptions import directory
from billing.subscriptions.models import BillingAccount, Subscription
from billing.subscriptions.services.attach_workspace import attach_workspace
from billing.subscriptions.services.subscribe import subscribe
from tests.make import AT, Customer, make_account, make_customer

pytestmark = pytest.mark.usefixtures("catalogue")
DAY = timedelta(days=1)


def placed(customer: Customer, name: str = "main") -> directory.Placement | None:
    return directory.place(tenant_id=customer.tenant.id, workspace=name)


def test_remembered_readings_cost_no_query(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    """M2: by slug and by id; a workspace that does not exist is asked for each time."""
    customer = make_customer()
    names = ("main", str(customer.workspace.id), f"ws_{customer.workspace.id.hex}")
    first = [placed(customer, name) for name in names]
    terms = directory.terms_at(customer.account.id, AT)
    with django_assert_num_queries(0):
        assert [placed(customer, name) for name in names] == first
        assert directory.terms_at(customer.account.id, AT + DAY) is terms
    assert first[0] == first[1] == first[2] != placed(customer, "nowhere")


def test_other_tenants_workspace_is_not_there() -> None:
    """F3: a slug or id of another tenant finds nothing."""
    customer, other = make_customer(), make_customer()
    assert placed(customer, str(other.workspace.id)) is None
    one, two = placed(customer), placed(other)
    assert one is not None
    assert two is not None
    assert one.workspace_id != two.workspace_id


def test_terms_are_of_their_time() -> None:
    """P10: what ends is not remembered past its end, and what has begun not before its beginning."""
    customer = make_customer("free")
    subscribe(account_id=customer.account.id, plan_slug="pro", at=AT + DAY)
    asked = (AT, AT + DAY, AT + DAY - timedelta(microseconds=1), AT + 2 * DAY)
    assert [directory.terms_at(customer.account.id, at).plan_slug for at in asked] == ["free", "pro", "free", "pro"]


def test_forgotten_account_is_read_again() -> None:
    """P10: once the database has refused a reading, terms and placements of the account are read afresh."""
    customer = make_customer("team")
    placed(customer), directory.terms_at(customer.account.id, AT)
    Subscription.objects.filter(account=customer.account).update(seats=2)
    directory.forget(customer.account.id)
    version = BillingAccount.objects.get(id=customer.account.id).version
    found = placed(customer)
    assert found is not None
    assert (found.version, directory.terms_at(customer.account.id, AT).version) == (version, version)
    with CaptureQueriesContext(connection) as queries:
        placed(customer), directory.terms_at(customer.account.id, AT)
    assert len(queries) == 0


def test_reading_that_was_under_way_is_passed_over() -> None:
    """P10: what another thread read before a change and stores after it does no harm."""
    customer = make_customer("team")
    late = directory.terms_at(customer.account.id, AT)
    Subscription.objects.filter(account=customer.account).update(seats=2)
    directory.forget(customer.account.id)
    directory._terms[customer.account.id] = late
    assert directory.terms_at(customer.account.id, AT).version > late.version
    assert not directory.is_current(customer.account.id, late.version)


def test_former_accounts_are_read_with_the_placement(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    """P11: in the one query that there is anyway; a remembered placement gets them with the account's next version."""
    customer = make_customer()
    before = placed(customer)
    second = make_account(customer.tenant, name="Second", is_default=False)
    attach_workspace(workspace_id=customer.workspace.id, account_id=second.id)
    directory.forget(customer.account.id)
    with django_assert_num_queries(1):
        after = placed(customer)
    assert before is not None
    assert after is not None
    assert (before.former, after.former) == ((), (customer.account.id,))
