from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.core.problems import problem
from billing.runtime.models import Session
from billing.runtime.services.lock_session import lock_session
from tenants.models import Membership
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def stop_session(*, account_id: UUID, session_id: UUID, at: datetime, actor: Actor) -> Session:
    """Stop a live session by hand: its slot is free at once, and its name takes no runs until it is allowed again (M9).

    A stopped one stays as it is. The tenant is told unless one of its own did it. Raises the problems not-found and
    session-ended.
    """
    session = lock_session(account_id=account_id, session_id=session_id, at=at)
    if session.state == Session.State.STOPPED:
        return session
    if session.ended_at is not None:
        raise problem("session-ended", f"The session is {session.state} already.")
    session.state, session.stopped_for, session.ended_at = Session.State.STOPPED, Session.BY_HAND, at
    session.told_at = at if _is_of_tenant(actor, session.tenant_id) else None
    session.save(update_fields=["state", "stopped_for", "ended_at", "told_at"])
    record_audit(
        tenant_id=session.tenant_id,
        actor=actor,
        action="session.stopped",
        target=encode_id("ses", session.id),
        at=at,
        detail={"session": session.name, "agent": session.agent},
    )
    return session


def _is_of_tenant(actor: Actor, tenant_id: UUID) -> bool:
    if actor.user_id is None:
        return actor.key_id is not None
    return Membership.objects.filter(tenant_id=tenant_id, user_id=actor.user_id).exists()
