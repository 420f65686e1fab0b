from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.credits.models import LedgerAccount
from billing.credits.services.open_ledger_account import open_ledger_account
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.services.subscribe import subscribe
from tenants.services.record_audit import SYSTEM, Actor, record_audit


@transaction.atomic
def open_account(
    *,
    tenant_id: UUID,
    name: str,
    plan_slug: str,
    at: datetime,
    actor: Actor = SYSTEM,
    currency: str = "USD",
    is_default: bool = False,
) -> BillingAccount:
    """Open a billing account of the tenant on a plan, with empty ledger accounts in an ISO 4217 currency.

    Raises UnknownPlan where the plan is not published.
    """
    account = BillingAccount.objects.create(
        tenant_id=tenant_id,
        name=name,
        currency=currency,
        is_default=is_default,
        credits=open_ledger_account(kind=LedgerAccount.Kind.CREDITS, currency=currency, at=at),
        receivable=open_ledger_account(kind=LedgerAccount.Kind.RECEIVABLE, currency=currency, at=at),
        signed_up_at=at,
    )
    subscribe(account_id=account.id, plan_slug=plan_slug, at=at)
    record_audit(
        tenant_id=tenant_id,
        actor=actor,
        action="billing_account.opened",
        target=encode_id("acc", account.id),
        at=at,
        detail={"name": name, "plan": plan_slug, "currency": currency},
    )
    return account
