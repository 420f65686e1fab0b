from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.credits.models import Grant
from billing.credits.services.grant_credits import grant_credits
from billing.subscriptions.models import BillingAccount
from tenants.models import AuditEvent
from tenants.services.record_audit import Actor, record_audit

_ACTION = "credits.granted"


@transaction.atomic
def grant_to_account(
    *,
    account_id: UUID,
    amount: Decimal,
    source: Grant.Source,
    priority: int,
    expires_at: datetime | None,
    note: str,
    key: UUID,
    at: datetime,
    actor: Actor,
) -> Grant:
    """Give an account credits by staff's hand, in its currency; the same key again gives the first grant.

    The customer reads the note in their ledger. Raises what `grant_credits` raises.
    """
    account = BillingAccount.objects.get(id=account_id)
    grant = grant_credits(
        account_id=account.credits_id,
        amount=amount,
        source=source,
        idempotency_key=f"staff:{key}",
        at=at,
        priority=priority,
        expires_at=expires_at,
        description=note,
    )
    _record(account, grant, note, actor)
    return grant


def _record(account: BillingAccount, grant: Grant, note: str, actor: Actor) -> None:
    """Once a grant, whatever number of times it is asked for."""
    target = encode_id("grant", grant.id)
    # The ledger stays locked until the end: nobody writes the same line beside this one.
    lines = AuditEvent.objects.filter(tenant_id=account.tenant_id, at=grant.created_at, action=_ACTION, target=target)
    if not lines.exists():
        record_audit(
            tenant_id=account.tenant_id,
            actor=actor,
            action=_ACTION,
            target=target,
            at=grant.created_at,
            detail={
                "account": encode_id("acc", account.id),
                "amount": f"{grant.amount:f}",
                "currency": account.currency,
                "source": grant.source,
                "priority": grant.priority,
                "expires_at": grant.expires_at.isoformat() if grant.expires_at else None,
                "note": note,
            },
        )
