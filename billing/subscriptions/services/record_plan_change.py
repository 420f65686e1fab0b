from datetime import datetime

from billing.core.ids import encode_id
from billing.subscriptions.models import Subscription
from tenants.services.record_audit import Actor, record_audit


def record_plan_change(*, former: Subscription | None, present: Subscription, actor: Actor, at: datetime) -> None:
    """Write into the audit log which terms an account left and which it is on now."""
    record_audit(
        tenant_id=present.account.tenant_id,
        actor=actor,
        action="plan.changed",
        target=encode_id("acc", present.account_id),
        at=at,
        detail={"from": _detail(former), "to": _detail(present)},
    )


def _detail(subscription: Subscription | None) -> dict[str, str | int] | None:
    if subscription is None:
        return None
    return {
        "plan": str(subscription.plan_version),
        "interval": subscription.interval,
        "variant": subscription.variant,
        "seats": subscription.seats,
    }
