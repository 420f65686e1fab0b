from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from billing.subscriptions.models import BillingAccount
from billing.subscriptions.services.open_account import open_account
from billing.subscriptions.services.open_workspace import open_workspace
from tenants.models import Tenant, Workspace
from tenants.permissions import Role
from tenants.services.add_member import AddedMember, add_member
from tenants.services.create_tenant import create_tenant
from tenants.services.record_audit import Actor

ACCOUNT_NAME = "Default"


@dataclass(frozen=True)
class OpenedCustomer:
    """All that a customer needs to begin."""

    tenant: Tenant
    account: BillingAccount
    workspace: Workspace
    owner: AddedMember


@transaction.atomic
def open_customer(
    *,
    name: str,
    slug: str,
    timezone: str,
    workspace_name: str,
    workspace_slug: str,
    plan_slug: str,
    owner_email: str,
    at: datetime,
    actor: Actor,
) -> OpenedCustomer:
    """Open a customer: tenant, owner, default billing account on a plan, first workspace; all of it or nothing.

    The owner is the user with this address or a new one without a password. Raises ValidationError for a slug or time
    zone that will not do, UnknownPlan where the plan is not published.
    """
    tenant = create_tenant(name=name, slug=slug, timezone=timezone, at=at, actor=actor)
    owner = add_member(tenant_id=tenant.id, email=owner_email, role=Role.OWNER, at=at, actor=actor)
    account = open_account(
        tenant_id=tenant.id, name=ACCOUNT_NAME, plan_slug=plan_slug, at=at, actor=actor, is_default=True
    )
    workspace = open_workspace(account_id=account.id, name=workspace_name, slug=workspace_slug, at=at, actor=actor)
    return OpenedCustomer(tenant, account, workspace, owner)
