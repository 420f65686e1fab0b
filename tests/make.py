"""What most tests start from: a tenant with a workspace, an account on a plan, a key, some credits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

from django.utils.timezone import now

from billing.credits.models import Grant
from billing.credits.services.grant_credits import grant_credits
from billing.plans.models import Entitlement, Plan, PlanPrice, PlanVersion
from billing.plans.services.new_draft import new_draft
from billing.plans.services.publish_version import publish_version
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.services.attach_workspace import attach_workspace
from billing.subscriptions.services.open_account import open_account
from tenants.models import ApiKey, Tenant, Workspace
from tenants.permissions import Permission
from tenants.queries import Caller, find_caller
from tenants.services.create_api_key import create_api_key
from tenants.services.record_audit import SYSTEM

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
_numbers = count(1)


@dataclass(frozen=True)
class Key:
    """An API key in plain text, and who calls with it."""

    row: ApiKey
    plain: str
    caller: Caller

    @property
    def header(self) -> dict[str, str]:
        """As Django's test client takes it in `headers`."""
        return {"Authorization": f"Bearer {self.plain}"}


@dataclass(frozen=True)
class Customer:
    """A tenant with one workspace, the account that pays for it, and a key of the whole tenant."""

    tenant: Tenant
    workspace: Workspace
    account: BillingAccount
    key: Key


def make_tenant(slug: str = "") -> Tenant:
    slug = slug or f"tenant-{next(_numbers)}"
    return Tenant.objects.create(slug=slug, name=slug.title(), created_at=AT)


def make_workspace(tenant: Tenant, slug: str = "main", *, account: BillingAccount | None = None) -> Workspace:
    workspace = Workspace.objects.create(tenant=tenant, slug=slug, name=slug.title(), created_at=AT)
    if account is not None:
        attach_workspace(workspace_id=workspace.id, account_id=account.id)
    return workspace


def make_account(
    tenant: Tenant, plan_slug: str = "payg", *, name: str = "Default", at: datetime = AT, is_default: bool = True
) -> BillingAccount:
    """An account on a shipped plan; needs the `catalogue`."""
    return open_account(tenant_id=tenant.id, name=name, plan_slug=plan_slug, at=at, is_default=is_default)


def make_credits(account: BillingAccount, amount: str, *, at: datetime = AT, key: str = "") -> Grant:
    return grant_credits(
        account_id=account.credits_id,
        amount=Decimal(amount),
        source=Grant.Source.PURCHASE,
        idempotency_key=key or f"grant-{next(_numbers)}",
        at=at,
    )


def make_api_key(tenant: Tenant, *scopes: Permission, workspace: Workspace | None = None) -> Key:
    """A key with these scopes, with all of them where none is named; used just now, so that no call writes that."""
    asked: Iterable[Permission] = scopes or Permission
    row, plain = create_api_key(
        tenant_id=tenant.id,
        name="test",
        scopes=asked,
        at=AT,
        actor=SYSTEM,
        workspace_id=workspace.id if workspace is not None else None,
    )
    row.last_used_at = now()
    row.save(update_fields=["last_used_at"])
    caller = find_caller(bytes(row.digest))
    assert caller is not None
    return Key(row, plain, caller)


def publish_pro(monthly: str, *, agents: int) -> PlanVersion:
    """Version 2 of Pro, with another monthly price and number of agents."""
    draft = new_draft(plan_id=Plan.objects.get(slug="pro").id, at=AT)
    PlanPrice.objects.filter(version=draft, interval="monthly", variant="standard").update(amount=Decimal(monthly))
    Entitlement.objects.filter(version=draft, feature="agents_limit").update(value=agents)
    return publish_version(version_id=draft.id, at=AT)


def make_customer(plan_slug: str = "payg", *, balance: str = "", slug: str = "", at: datetime = AT) -> Customer:
    tenant = make_tenant(slug)
    account = make_account(tenant, plan_slug, at=at)
    workspace = make_workspace(tenant, account=account)
    if balance:
        make_credits(account, balance, at=at)
    return Customer(tenant, workspace, account, make_api_key(tenant))
