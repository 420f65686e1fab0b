from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.credits.models import Creator, LedgerAccount
from billing.credits.services.open_ledger_account import open_ledger_account
from tenants.models import Tenant
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def open_creator(*, tenant_id: UUID, currency: str, at: datetime, actor: Actor) -> Creator:
    """Let a tenant sell on the marketplace, paid out in an ISO 4217 currency; one that does already stays so (M10)."""
    Tenant.objects.select_for_update(no_key=True).get(id=tenant_id)
    known = Creator.objects.filter(tenant_id=tenant_id).first()
    if known is not None:
        return known
    payable = open_ledger_account(kind=LedgerAccount.Kind.PAYABLE, currency=currency, at=at)
    creator = Creator.objects.create(tenant_id=tenant_id, payable=payable, created_at=at)
    record_audit(
        tenant_id=tenant_id,
        actor=actor,
        action="creator.opened",
        target=str(creator.id),
        at=at,
        detail={"currency": currency},
    )
    return creator
