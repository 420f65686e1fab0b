"""Which billing accounts a person may look at, and what surrounds them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.credits.models import TopUp
from billing.stripe_sync.models import CheckoutSession, StripeCustomer
from billing.subscriptions.models import BillingAccount
from tenants.models import ApiKey, Workspace
from tenants.permissions import Permission, role_permissions
from tenants.queries import memberships_of


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """A billing account of a tenant that the person belongs to; its tenant is loaded."""

    account: BillingAccount
    permissions: frozenset[Permission]


def accounts_open_to(user_id: int) -> list[OpenAccount]:
    """The accounts of the user's tenants by tenant, a tenant's default account first; two queries."""
    memberships = memberships_of(user_id)
    granted = {membership.tenant_id: role_permissions(membership.role) for membership in memberships}
    if not granted:
        return []
    accounts = BillingAccount.objects.filter(tenant_id__in=granted).select_related("tenant")
    ordered = accounts.order_by("tenant__name", "tenant_id", "-is_default", "name")
    return [OpenAccount(account, granted[account.tenant_id]) for account in ordered]


def workspaces_of_account(account_id: UUID) -> list[Workspace]:
    """The workspaces that the account pays for, by name."""
    return list(Workspace.objects.filter(billing__account_id=account_id).order_by("name"))


def find_workspace(*, account_id: UUID, slug: str) -> Workspace | None:
    """The workspace with this slug, if the account pays for it."""
    return Workspace.objects.filter(billing__account_id=account_id, slug=slug).first()


def workspaces_of_tenant(tenant_id: UUID) -> list[Workspace]:
    """All workspaces of the tenant, by name."""
    return list(Workspace.objects.filter(tenant_id=tenant_id).order_by("name"))


def api_keys_of(tenant_id: UUID) -> list[ApiKey]:
    """The tenant's keys with their workspaces, those in force first, then the newest first."""
    keys = ApiKey.objects.filter(tenant_id=tenant_id).select_related("workspace").order_by("-created_at")
    return sorted(keys, key=lambda key: key.revoked_at is not None)


def open_plan_checkout_of(account_id: UUID, at: datetime) -> CheckoutSession | None:
    """The newest Checkout page for a plan that can still be paid, its plan with it."""
    sessions = CheckoutSession.objects.filter(
        account_id=account_id, state=CheckoutSession.State.OPEN, plan_price__isnull=False, expires_at__gt=at
    )
    return sessions.select_related("plan_price__version__plan").first()


def find_checkout(*, account_ids: Iterable[UUID], key: str) -> CheckoutSession | None:
    """The Checkout session that one of the accounts opened under an idempotency key, with what it is for."""
    sessions = CheckoutSession.objects.filter(account_id__in=account_ids, idempotency_key=key)
    return sessions.select_related("plan_price__version__plan", "top_up").first()


def top_ups_of(account: BillingAccount, *, limit: int) -> list[TopUp]:
    """The account's purchases of credits with their Checkout pages, newest first."""
    purchases = TopUp.objects.filter(account_id=account.credits_id).select_related("checkout")
    return list(purchases[:limit])


def has_stripe_customer(account_id: UUID) -> bool:
    """Whether the account has been at Stripe, so that there is a portal to open (S3)."""
    return StripeCustomer.objects.filter(account_id=account_id, deleted_at__isnull=True).exists()
