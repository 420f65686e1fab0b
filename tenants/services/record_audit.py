from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tenants.models import AuditEvent


@dataclass(frozen=True)
class Actor:
    """Who acts: a signed-in user, an API key, or the system itself (neither)."""

    user_id: int | None = None
    key_id: UUID | None = None


SYSTEM = Actor()


def record_audit(
    *, tenant_id: UUID, actor: Actor, action: str, target: str, at: datetime, detail: dict[str, Any] | None = None
) -> AuditEvent:
    """Write one line of the audit log, in the transaction of what it tells. `detail` must hold no secret."""
    return AuditEvent.objects.create(
        tenant_id=tenant_id,
        actor_user_id=actor.user_id,
        actor_key_id=actor.key_id,
        action=action,
        target=target,
        detail=detail or {},
        at=at,
    )
