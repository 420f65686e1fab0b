"""What services write beside what they change: the tenant's audit log, and who read a key's text (K10)."""

from datetime import datetime
from typing import Any

from tenants.services.record_audit import Actor, record_audit
from vault.models import Credential, CredentialAccess


def audit_key(*, key: Credential, action: str, last_four: str, actor: Actor, at: datetime, **detail: Any) -> None:
    """Write to the tenant's audit log. The platform has none: staff's own log has what they do with its keys."""
    if key.tenant_id is None:
        return
    shown = {"provider": key.provider, "name": key.name, "last_four": last_four}
    record_audit(
        tenant_id=key.tenant_id, actor=actor, action=action, target=str(key.id), at=at, detail={**shown, **detail}
    )


def note_access(
    *, key: Credential, number: int, outcome: CredentialAccess.Outcome, actor: Actor, at: datetime, **run: Any
) -> None:
    """Write down that a version's text was read, or could not be; for a check where `run` names no other purpose."""
    facts = {"purpose": CredentialAccess.Purpose.CHECK, "tenant_id": key.tenant_id, **run}
    CredentialAccess.objects.create(
        credential=key,
        number=number,
        outcome=outcome,
        actor_key_id=actor.key_id,
        actor_user_id=actor.user_id,
        at=at,
        **facts,
    )
