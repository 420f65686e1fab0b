from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.core.problems import problem
from billing.runtime.models import Session
from billing.runtime.services.lock_session import lock_session
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def allow_session(*, account_id: UUID, session_id: UUID, at: datetime, actor: Actor) -> Session:
    """Let a stopped session's name take runs again: the next one begins a new session (M9).

    The stopped one counts as cancelled; why and when it was stopped is kept. Raises the problems not-found and
    nothing-to-change.
    """
    session = lock_session(account_id=account_id, session_id=session_id, at=at)
    if session.state != Session.State.STOPPED:
        raise problem("nothing-to-change", "The session is not stopped.")
    session.state = Session.State.CANCELLED
    session.save(update_fields=["state"])
    record_audit(
        tenant_id=session.tenant_id,
        actor=actor,
        action="session.allowed",
        target=encode_id("ses", session.id),
        at=at,
        detail={"session": session.name, "stopped_for": session.stopped_for},
    )
    return session
