"""A tenant with a thousand funded accounts, made through the product's services."""

from datetime import datetime
from decimal import Decimal

from django.core.management import call_command
from django.db import connection, transaction

from bench.world import ACCOUNTS
from billing.credits.models import Grant, LedgerAccount
from billing.credits.services.grant_credits import grant_credits
from billing.credits.services.open_ledger_account import platform_account
from billing.subscriptions.models import BillingAccount, EntitlementOverride
from billing.subscriptions.services.attach_workspace import attach_workspace
from billing.subscriptions.services.open_account import open_account
from tenants.models import Tenant, Workspace
from tenants.permissions import Permission
from tenants.services.create_api_key import create_api_key
from tenants.services.record_audit import SYSTEM

# A load of one account is a crowd of its users: the bounds that stop a loop are out of the way, and still looked at.
_WIDE = {"concurrent_sessions_limit": 1_000, "session_runs_per_minute": 1_000_000, "session_repeats_limit": 1_000_000}


def fill(at: datetime) -> str:
    """Workspaces `w-1` … on an account each, with plenty of credits; answers an API key for all of them."""
    call_command("load_catalog", verbosity=0)
    call_command("load_prices", verbosity=0)
    with transaction.atomic():
        tenant = Tenant.objects.create(slug="bench", name="Bench")
        for number in range(1, ACCOUNTS + 1):
            _account(tenant, number, at)
        EntitlementOverride.objects.bulk_create(
            EntitlementOverride(account=account, feature=feature, value=most, reason="Load", created_at=at)
            for account in BillingAccount.objects.filter(tenant=tenant)
            for feature, most in _WIDE.items()
        )
        platform_account(LedgerAccount.Kind.REVENUE, "USD")
        _, key = create_api_key(tenant_id=tenant.id, name="bench", scopes=list(Permission), at=at, actor=SYSTEM)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return key


def _account(tenant: Tenant, number: int, at: datetime) -> None:
    workspace = Workspace.objects.create(tenant=tenant, slug=f"w-{number}", name=f"W {number}")
    account = open_account(tenant_id=tenant.id, name=f"A {number}", plan_slug="payg", at=at)
    attach_workspace(workspace_id=workspace.id, account_id=account.id)
    grant_credits(
        account_id=account.credits_id,
        amount=Decimal(1_000_000),
        source=Grant.Source.PURCHASE,
        idempotency_key="bench",
        at=at,
    )
