from datetime import datetime

from billing.credits.models import Payout
from tenants.services.record_audit import SYSTEM, Actor, record_audit


def record_payout(payout: Payout, what: str, *, at: datetime, actor: Actor = SYSTEM) -> None:
    """Write into the creator's audit log what became of a payout."""
    record_audit(
        tenant_id=payout.creator.tenant_id,
        actor=actor,
        action=f"payout.{what}",
        target=str(payout.id),
        at=at,
        detail={
            "amount": f"{payout.amount:f}",
            "currency": payout.currency,
            "returned": f"{payout.returned:f}",
            "error": payout.error,
        },
    )
