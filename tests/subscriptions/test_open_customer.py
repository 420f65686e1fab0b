"""Opening a customer with all that it needs."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from billing.core.ids import encode_id
from billing.subscriptions.errors import UnknownPlan
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import account_of_workspace, default_account, subscription_at
from billing.subscriptions.services.move_workspace import move_workspace
from billing.subscriptions.services.open_customer import OpenedCustomer, open_customer
from billing.subscriptions.services.open_workspace import open_workspace
from tenants.models import AuditEvent, Membership, Tenant, User, Workspace
from tenants.services.record_audit import Actor
from tests.make import AT, make_account, make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


def staff() -> Actor:
    return Actor(user_id=User.objects.create_user("staff@example.com").pk)


def opened(**changes: Any) -> OpenedCustomer:
    usual = {
        "name": "Umbra Labs",
        "slug": "umbra",
        "timezone": "Europe/Berlin",
        "workspace_name": "Production",
        "workspace_slug": "production",
        "plan_slug": "pro",
        "owner_email": "olga@umbra.example",
    }
    return open_customer(**(usual | changes), at=AT, actor=staff())


def audited(tenant: Tenant) -> list[tuple[str, str]]:
    lines = AuditEvent.objects.filter(tenant=tenant, actor_user__email="staff@example.com")
    return list(lines.order_by("id").values_list("action", "target"))


def test_customer_can_begin() -> None:
    """F2, P11: a tenant, an owner without a password, a default account on the plan, a workspace that it pays for."""
    customer = opened()
    tenant = Tenant.objects.get(slug="umbra")
    owner = Membership.objects.get(tenant=tenant)
    assert (tenant.name, tenant.timezone) == ("Umbra Labs", "Europe/Berlin")
    assert (owner.role, owner.user.email, owner.user.has_usable_password()) == ("owner", "olga@umbra.example", False)
    assert customer.owner.is_new_user
    account = default_account(tenant.id)
    assert subscription_at(account.id, AT).plan_version.plan.slug == "pro"
    assert account_of_workspace(Workspace.objects.get(tenant=tenant, slug="production").id) == account
    assert audited(tenant) == [
        ("tenant.created", "umbra"),
        ("member.added", "olga@umbra.example"),
        ("billing_account.opened", encode_id("acc", account.id)),
        ("workspace.opened", "production"),
    ]


def test_owner_who_is_known_stays_who_they_are() -> None:
    """F4: an address in any case is the same person, whose password is not touched."""
    known = User.objects.create_user("Olga@umbra.example", "ninE-lives7")
    customer = opened(owner_email="olga@UMBRA.example")
    assert not customer.owner.is_new_user
    assert customer.owner.membership.user == known
    assert User.objects.get(pk=known.pk).check_password("ninE-lives7")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"slug": "taken"}, ValidationError),
        ({"slug": "no slug"}, ValidationError),
        ({"timezone": "Mars/Olympus"}, ValidationError),
        ({"workspace_slug": "no slug"}, ValidationError),
        ({"plan_slug": "no-such-plan"}, UnknownPlan),
    ],
)
def test_all_or_nothing(wrong: dict[str, str], error: type[Exception]) -> None:
    """F2: what fails leaves no half of a customer behind."""
    make_customer(slug="taken")
    with pytest.raises(error):
        opened(**wrong)
    assert list(Tenant.objects.values_list("slug", flat=True)) == ["taken"]
    assert BillingAccount.objects.count() == 1
    assert not User.objects.filter(email="olga@umbra.example").exists()


def test_workspace_is_paid_for_at_once() -> None:
    """P11: a further workspace belongs to the account's tenant and is paid for by the account."""
    customer, actor = make_customer(), staff()
    spare = make_account(customer.tenant, "pro", name="Spare", is_default=False)
    made = open_workspace(
        account_id=spare.id, name="Test", slug="test", environment=Workspace.Environment.TEST, at=AT, actor=actor
    )
    assert (made.tenant, made.environment) == (customer.tenant, "test")
    assert account_of_workspace(made.id) == spare
    assert audited(customer.tenant) == [("workspace.opened", "test")]


def test_slug_that_the_tenant_has_is_refused() -> None:
    """P11: a workspace is named by its slug, so there are no two."""
    customer = make_customer()
    with pytest.raises(ValidationError):
        open_workspace(account_id=customer.account.id, name="Again", slug="main", at=AT, actor=staff())


def test_workspace_moves_within_its_tenant() -> None:
    """P11: another account of the tenant pays from now on, another tenant's never."""
    customer, actor = make_customer(), staff()
    spare = make_account(customer.tenant, "pro", name="Spare", is_default=False)
    move_workspace(workspace_id=customer.workspace.id, account_id=spare.id, at=AT, actor=actor)
    assert account_of_workspace(customer.workspace.id) == spare
    with pytest.raises(Workspace.DoesNotExist):
        move_workspace(workspace_id=customer.workspace.id, account_id=make_customer().account.id, at=AT, actor=actor)
    assert audited(customer.tenant) == [("workspace.moved", "main")]
