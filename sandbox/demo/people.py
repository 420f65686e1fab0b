"""The demo's tenants, people, keys and credits."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from billing.credits.models import Grant
from billing.credits.services.grant_credits import grant_credits
from billing.notifications.services.invite_by_mail import invite_by_mail
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.services.attach_workspace import attach_workspace
from billing.subscriptions.services.open_account import open_account
from billing.usage.services.add_source import add_source
from billing.usage.services.create_agent import create_agent
from tenants.models import Membership, Office, Tenant, User, Workspace
from tenants.permissions import Permission, Role
from tenants.queries import Caller
from tenants.services.add_member import add_member
from tenants.services.create_api_key import create_api_key
from tenants.services.record_audit import SYSTEM, Actor

# The accounts were opened before the trace begins, so that all of it lies in the running period.
OPENED_BEFORE = timedelta(days=10)

DEMO_TENANT = "acme"
PAYING_TENANT = "northwind"
PAYING_PLAN = "pro"
AGENTS = {
    "support": ["Inbox triage", "Refund helper", "Voice receptionist"],
    "sales": ["Lead researcher", "Proposal writer"],
    "operations": ["Invoice matcher", "Shift planner"],
}
COLLEAGUES = (
    ("ben@acme.example", "Ben Books", Role.BILLING),
    ("dana@acme.example", "Dana Developer", Role.DEVELOPER),
)
INVITED = "lin@acme.example"
SOURCES = {"Product handbook": 18_400_000, "Price list 2026": 2_100_000, "Support macros": 640_000}
_RUNTIME_SCOPES = (Permission.RUNTIME, Permission.USAGE_WRITE, Permission.BILLING_VIEW)
_ADMIN_SCOPES = (
    Permission.TENANT_MANAGE,
    Permission.BILLING_MANAGE,
    Permission.BILLING_VIEW,
    Permission.USAGE_WRITE,
)


@dataclass(frozen=True)
class Person:
    """Someone who signs in; the password is made at random for this installation."""

    email: str
    name: str
    password: str


@transaction.atomic
def create_tenants(*, at: datetime, paying_plan: str = PAYING_PLAN) -> dict[str, Any]:
    """Two tenants with everything that the demo shows; answers the seed: names, passwords, plain API keys.

    `paying_plan` is what the second one begins on: a free plan where it subscribes to a paid one itself.
    """
    opened = at - OPENED_BEFORE
    staff = _person("staff@quaestor.example", "Sam Staff")
    User.objects.create_superuser(staff.email, staff.password, name=staff.name)
    owner = _person("ada@acme.example", "Ada Admin")
    acme = _tenant(DEMO_TENANT, "Acme Agents", "Europe/Berlin", owner)
    production = _workspace(acme, "production", "Production", Workspace.Environment.PRODUCTION)
    _fund(_account(acme, production, "Production", "payg", opened, is_default=True), Decimal(400), opened, bonus=True)
    test = _workspace(acme, "test", "Test", Workspace.Environment.TEST)
    _fund(_account(acme, test, "Test", "payg", opened), Decimal(100), opened)
    other_owner = _person("nora@northwind.example", "Nora North")
    northwind = _tenant(PAYING_TENANT, "Northwind Voice", "America/New_York", other_owner)
    other = _workspace(northwind, "calls", "Calls", Workspace.Environment.PRODUCTION)
    _fund(_account(northwind, other, "Main", paying_plan, opened, is_default=True), Decimal(20), opened)
    _furnish(acme, production, at)
    _colleagues(acme, at)
    return {
        "email": owner.email,
        "password": owner.password,
        "staff_email": staff.email,
        "staff_password": staff.password,
        "tenant": acme.slug,
        "workspace": production.slug,
        "test_workspace": test.slug,
        "api_key": _key(acme, "Back office", _ADMIN_SCOPES, at),
        "runtime_key": _key(acme, "Agent runtime", _RUNTIME_SCOPES, at),
        "viewer_key": _key(acme, "Reporting", (Permission.BILLING_VIEW,), at),
        "other_tenant_api_key": _key(northwind, "Back office", tuple(Permission), at),
        "other_tenant_workspace": other.slug,
        "trace_until": at.isoformat(),
    }


def _colleagues(tenant: Tenant, at: datetime) -> None:
    """Members beside the owner, and somebody whose invitation lies in the mailbox."""
    inviter = Actor(user_id=tenant.memberships.get().user_id)
    for email, name, role in COLLEAGUES:
        added = add_member(tenant_id=tenant.id, email=email, role=role, at=at, actor=inviter)
        User.objects.filter(pk=added.membership.user_id).update(name=name)
    invite_by_mail(tenant_id=tenant.id, email=INVITED, role=Role.ADMIN, actor=inviter, at=at)


def _person(email: str, name: str) -> Person:
    return Person(email, name, secrets.token_urlsafe(9))


def _tenant(slug: str, name: str, timezone: str, owner: Person) -> Tenant:
    tenant = Tenant.objects.create(slug=slug, name=name, timezone=timezone)
    user = User.objects.create_user(owner.email, owner.password, name=owner.name)
    Membership.objects.create(tenant=tenant, user=user, role=Role.OWNER)
    return tenant


def _workspace(tenant: Tenant, slug: str, name: str, environment: Workspace.Environment) -> Workspace:
    return Workspace.objects.create(tenant=tenant, slug=slug, name=name, environment=environment)


def _account(
    tenant: Tenant, workspace: Workspace, name: str, plan: str, opened: datetime, *, is_default: bool = False
) -> BillingAccount:
    account = open_account(tenant_id=tenant.id, name=name, plan_slug=plan, at=opened, is_default=is_default)
    attach_workspace(workspace_id=workspace.id, account_id=account.id)
    return account


def _fund(account: BillingAccount, amount: Decimal, at: datetime, *, bonus: bool = False) -> None:
    grant_credits(
        account_id=account.credits_id,
        amount=amount,
        source=Grant.Source.PURCHASE,
        idempotency_key="demo-purchase",
        at=at,
        description="Credits purchased",
    )
    if bonus:
        grant_credits(
            account_id=account.credits_id,
            amount=Decimal(25),
            source=Grant.Source.PROMOTION,
            idempotency_key="demo-welcome",
            at=at,
            priority=50,
            expires_at=at + timedelta(days=90),
            description="Welcome credits",
        )


def _furnish(tenant: Tenant, workspace: Workspace, at: datetime) -> None:
    """Offices, agents and documents, so that no page of the demo is empty."""
    for slug, agents in AGENTS.items():
        Office.objects.create(workspace=workspace, slug=slug, name=slug.title())
        for name in agents:
            create_agent(workspace_id=workspace.id, name=name, office=slug, at=at)
    for name, size in SOURCES.items():
        add_source(workspace_id=workspace.id, name=name, size=size, at=at)


def _key(tenant: Tenant, name: str, scopes: tuple[Permission, ...], at: datetime) -> str:
    _, plain = create_api_key(tenant_id=tenant.id, name=name, scopes=scopes, at=at, actor=SYSTEM)
    return plain


def replay_caller(tenant: Tenant) -> Caller:
    """Who reports the trace: the tenant's runtime key."""
    key = tenant.api_keys.get(name="Agent runtime")
    return Caller(key.id, tenant.id, None, frozenset(key.scopes), revoked=False)
