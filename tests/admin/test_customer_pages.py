"""Opening customers, workspaces and accounts in the staff admin."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import account_of_workspace, default_account, subscription_at
from tenants.models import AuditEvent, Membership, Tenant, Workspace
from tests.admin.records import make_user
from tests.make import make_account, make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
ADD = "admin:tenants_tenant_add"
CONFIRM = {"_form_submitted": "True"}
CUSTOMER = {
    "name": "Umbra Labs",
    "slug": "umbra",
    "timezone": "Europe/Berlin",
    "owner_email": "olga@umbra.example",
    "plan": "pro",
    "workspace_name": "Production",
    "workspace_slug": "production",
}


def on_tenant(tenant: Tenant, action: str) -> str:
    return reverse(f"admin:tenants_tenant_{action}", args=[tenant.id])


def test_customer_is_opened(
    staff: Client, client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """F2, F4, P11: one form makes a customer who can begin; the owner sets the password by a link, nobody types it."""
    with django_capture_on_commit_callbacks(execute=True):
        response = staff.post(reverse(ADD), CUSTOMER | {"_continue": "1"})
    tenant = Tenant.objects.get(slug="umbra")
    assert response["Location"] == on_tenant(tenant, "change")
    workspace = Workspace.objects.get(tenant=tenant, slug="production")
    assert account_of_workspace(workspace.id) == default_account(tenant.id)
    assert [letter.to for letter in mail.outbox] == [["olga@umbra.example"]]
    link = re.search(r"http://testserver(/account/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link is not None
    assert client.get(link[1], follow=True).status_code == 200
    audited = AuditEvent.objects.filter(tenant=tenant).values_list("actor_user__email", flat=True)
    assert list(audited) == ["root@example.com"] * 4


def test_known_owner_gets_no_link(
    staff: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """F4: who signs in already goes on as before."""
    olga = make_user("Olga@umbra.example")
    with django_capture_on_commit_callbacks(execute=True):
        staff.post(reverse(ADD), CUSTOMER)
    assert Membership.objects.get(tenant__slug="umbra").user == olga
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"slug": "taken"}, "already exists"),
        ({"timezone": "Mars/Olympus"}, "is not a time zone"),
        ({"owner_email": "olga"}, "valid email address"),
        ({"plan": "nothing"}, "Select a valid choice"),
        ({"workspace_slug": "no slug"}, "valid “slug”"),
    ],
)
def test_customer_that_makes_no_sense_is_refused(staff: Client, wrong: dict[str, str], message: str) -> None:
    """F2: the form says what is wrong, and nothing is made."""
    make_customer(slug="taken")
    response = staff.post(reverse(ADD), CUSTOMER | wrong)
    assert (response.status_code, message in response.text) == (200, True)
    assert Tenant.objects.count() == 1


def test_workspace_is_added(staff: Client) -> None:
    """P11: attached to the account that staff choose."""
    customer = make_customer()
    spare = make_account(customer.tenant, "pro", name="Spare", is_default=False)
    form = CONFIRM | {"name": "Test", "slug": "test", "environment": "test", "account": spare.id}
    assert staff.post(on_tenant(customer.tenant, "add_workspace"), form)["HX-Redirect"]
    assert account_of_workspace(Workspace.objects.get(slug="test").id) == spare


@pytest.mark.parametrize(
    ("wrong", "message"), [({"slug": "main"}, "already exists"), ({"account": "foreign"}, "Select a valid choice")]
)
def test_workspace_stays_in_its_tenant(staff: Client, wrong: dict[str, Any], message: str) -> None:
    """P11: neither a slug twice nor another tenant's account."""
    customer, foreign = make_customer(), make_customer().account
    form = CONFIRM | {"name": "Test", "slug": "test", "environment": "test", "account": customer.account.id} | wrong
    if form["account"] == "foreign":
        form["account"] = foreign.id
    response = staff.post(on_tenant(customer.tenant, "add_workspace"), form)
    assert (response.status_code, message in response.text) == (200, True)
    assert Workspace.objects.count() == 2


def test_account_is_opened(staff: Client) -> None:
    """P11: a second account with a plan of its own; a name that the tenant has is refused."""
    customer = make_customer()
    url = on_tenant(customer.tenant, "open_billing_account")
    assert "has an account of this name" in staff.post(url, CONFIRM | {"name": "Default", "plan": "pro"}).text
    assert staff.post(url, CONFIRM | {"name": "Test", "plan": "pro"})["HX-Redirect"]
    account = BillingAccount.objects.get(tenant=customer.tenant, name="Test")
    assert not account.is_default
    assert subscription_at(account.id, account.signed_up_at).plan_version.plan.slug == "pro"
    assert AuditEvent.objects.get(action="billing_account.opened", actor_user__isnull=False).detail["name"] == "Test"


def test_workspace_is_moved(staff: Client) -> None:
    """P11: another account of the same tenant pays, and the form offers no other."""
    customer = make_customer()
    spare = make_account(customer.tenant, "pro", name="Spare", is_default=False)
    url = reverse("admin:billing_subscriptions_workspacebilling_move", args=[customer.workspace.id])
    foreign = make_customer().account
    assert "Select a valid choice" in staff.post(url, CONFIRM | {"account": foreign.id}).text
    assert staff.post(url, CONFIRM | {"account": spare.id})["HX-Redirect"]
    assert account_of_workspace(customer.workspace.id) == spare


@pytest.mark.parametrize(
    ("action", "right"), [("add_workspace", "add_workspace"), ("open_billing_account", "add_billingaccount")]
)
def test_clerk_needs_the_right(client: Client, action: str, right: str) -> None:
    """F2: each button has a right of its own."""
    tenant, clerk = make_customer().tenant, make_user("clerk@example.com", is_staff=True)
    client.force_login(clerk)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_tenant"))
    assert client.post(on_tenant(tenant, action)).status_code == 403
    assert client.get(reverse(ADD)).status_code == 403
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_tenant", right]))
    assert on_tenant(tenant, action) in client.get(on_tenant(tenant, "change")).text
    assert client.get(on_tenant(tenant, action)).status_code == 200
