"""Accounts, what they are on, and when their allowances reset."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from billing.plans.feature_values import BadFeatureValue
from billing.subscriptions.errors import NoActivePlan, UnknownPlan
from billing.subscriptions.models import BillingAccount, Subscription, WorkspaceBilling
from billing.subscriptions.queries import account_of_workspace, default_account, subscription_at, terms_of
from billing.subscriptions.services.attach_workspace import attach_workspace
from billing.subscriptions.services.open_account import open_account
from billing.subscriptions.services.override_entitlement import override_entitlement
from billing.subscriptions.services.subscribe import subscribe
from billing.subscriptions.terms_history import TermsHistory
from tenants.models import Workspace
from tests.make import AT, make_account, make_customer, make_tenant, make_workspace

pytestmark = pytest.mark.usefixtures("catalogue")
DAY = timedelta(days=1)


def day(month: int, number: int, hour: int = 0) -> datetime:
    return datetime(2026, month, number, hour, tzinfo=UTC)


def test_free_periods_begin_on_the_day_of_sign_up() -> None:
    """P5: at midnight UTC, clamped to the month's end and back; a second free plan keeps the anchor."""
    account = make_account(make_tenant(), "free", at=day(1, 31, 17))
    terms = terms_of(account.id, day(1, 31, 17))
    starts = [terms.period(at).start for at in (day(1, 31, 18), day(2, 28), day(3, 30, 23), day(3, 31))]
    assert starts == [day(1, 31), day(2, 28), day(2, 28), day(3, 31)]
    subscribe(account_id=account.id, plan_slug="starter", at=day(2, 10))
    assert terms_of(account.id, day(2, 10)).period(day(2, 10)).start == day(1, 31)


def test_paid_periods_begin_when_the_plan_does() -> None:
    """P5: to the second."""
    account = make_account(make_tenant(), "free")
    subscribe(account_id=account.id, plan_slug="pro", at=day(4, 3, 9))
    assert terms_of(account.id, day(5, 3, 8)).period(day(5, 3, 8)).start == day(4, 3, 9)


def test_one_plan_at_every_instant() -> None:
    """P10: a change ends what was there at the instant that it begins; the past can still be asked for."""
    account = make_account(make_tenant(), "free")
    subscribe(account_id=account.id, plan_slug="pro", at=AT + DAY)
    slugs = [terms_of(account.id, AT + DAY + step).plan_slug for step in (-timedelta(microseconds=1), 0 * DAY)]
    assert slugs == ["free", "pro"]
    with pytest.raises(NoActivePlan):
        terms_of(account.id, AT - DAY)
    with pytest.raises(IntegrityError, match="subscription_one_at_a_time"), transaction.atomic():
        Subscription.objects.filter(account=account).update(ends_at=None)


def test_unknown_plan_changes_nothing() -> None:
    """P1: no such plan, no account and no change."""
    tenant = make_tenant()
    with pytest.raises(UnknownPlan):
        open_account(tenant_id=tenant.id, name="Default", plan_slug="nothing", at=AT)
    assert not BillingAccount.objects.exists()


def test_override_replaces_the_whole_limit() -> None:
    """P3: value and throttle; unlimited is null; a feature that does not exist is refused."""
    account = make_account(make_tenant(), "pro")
    assert terms_of(account.id, AT).limit("executions_per_month").throttle_after == 3000
    override_entitlement(account_id=account.id, feature="executions_per_month", value=None, reason="deal", at=AT)
    limit = terms_of(account.id, AT).limit("executions_per_month")
    assert (limit.number, limit.throttle_after, limit.source) == (None, None, "override")
    with pytest.raises(BadFeatureValue):
        override_entitlement(account_id=account.id, feature="invented", value=1, reason="x", at=AT)


def test_seats_multiply_what_is_counted_a_seat() -> None:
    """P3: limit and threshold of executions, and nothing else."""
    account = make_account(make_tenant(), "team")
    subscribe(account_id=account.id, plan_slug="team", at=AT + DAY, seats=3)
    terms = terms_of(account.id, AT + DAY)
    executions = terms.limit("executions_per_month")
    assert (executions.number, executions.throttle_after, executions.throttle_per_minute) == (75_000, 45_000, 1)
    assert terms.limit("spend_cap_per_user_day").number == 20


@pytest.mark.parametrize("change", ["subscription", "override", "workspace", "workspace in sql"])
def test_every_change_raises_the_version(change: str) -> None:
    """P10: triggers count, whoever writes; a change of another account does not."""
    customer, other = make_customer("team"), make_customer("team")
    before = BillingAccount.objects.get(id=customer.account.id).version
    if change == "subscription":
        Subscription.objects.filter(account=customer.account).update(seats=2)
    elif change == "override":
        override_entitlement(account_id=customer.account.id, feature="agents_limit", value=1, reason="x", at=AT)
    elif change == "workspace":
        make_workspace(customer.tenant, "second", account=customer.account)
    else:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM billing_subscriptions_workspacebilling WHERE account_id = %s", [customer.account.id]
            )
    assert BillingAccount.objects.get(id=customer.account.id).version > before
    assert BillingAccount.objects.get(id=other.account.id).version == before


def test_workspace_moves_and_both_accounts_know() -> None:
    """P11: the account that loses a workspace changes as much as the one that gets it."""
    customer = make_customer()
    second = make_account(customer.tenant, name="Second", is_default=False)
    versions = [BillingAccount.objects.get(id=account.id).version for account in (customer.account, second)]
    attach_workspace(workspace_id=customer.workspace.id, account_id=second.id)
    now = [BillingAccount.objects.get(id=account.id).version for account in (customer.account, second)]
    assert all(new > old for new, old in zip(now, versions, strict=True))
    assert account_of_workspace(customer.workspace.id) == second
    assert default_account(customer.tenant.id) == customer.account


def test_account_of_another_tenant_pays_for_nothing() -> None:
    """P11, F3: neither by the service nor from SQL."""
    customer, other = make_customer(), make_customer()
    with pytest.raises(Workspace.DoesNotExist):
        attach_workspace(workspace_id=other.workspace.id, account_id=customer.account.id)
    for tenant in (customer.tenant, other.tenant):
        with pytest.raises(IntegrityError, match=r"workspacebilling_.*_of_tenant"), transaction.atomic():
            WorkspaceBilling.objects.filter(workspace=other.workspace).update(account=customer.account, tenant=tenant)


def test_history_knows_the_plan_of_every_instant() -> None:
    """U6: the plan of its time; in a gap the one before, ahead of the first the first; nothing is read for today."""
    account = make_account(make_tenant(), "free")
    Subscription.objects.filter(account=account).update(ends_at=AT + DAY)
    subscribe(account_id=account.id, plan_slug="pro", at=AT + 3 * DAY)
    subscribe(account_id=account.id, plan_slug="team", at=AT + 5 * DAY)
    history = TermsHistory(terms_of(account.id, AT + 9 * DAY))
    days = (-300, 0, 2, 3, 4.9, 5, 20)
    assert [history.at(AT + number * DAY).plan_slug for number in days] == [
        "free", "free", "free", "pro", "pro", "team", "team",
    ]  # fmt: skip
    assert history.version == history.current.version


def test_history_reads_nothing_for_the_present(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    """U6: an event of the current subscription costs no query, one of an account's only subscription a single one."""
    history = TermsHistory(terms_of(make_account(make_tenant(), "free").id, AT))
    with django_assert_num_queries(0):
        history.at(AT + DAY)
    with django_assert_num_queries(1):
        assert {history.at(AT - number * DAY).plan_slug for number in range(5)} == {"free"}


def test_terms_take_few_queries(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    """P3: five, however many entitlements and exceptions there are."""
    account = make_account(make_tenant(), "pro")
    with django_assert_num_queries(5):
        terms_of(account.id, AT)
    assert subscription_at(account.id, AT).plan_version.plan.slug == "pro"
