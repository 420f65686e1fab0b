from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from billing.core.problems import problem
from billing.runtime.models import Session
from billing.runtime.services.lock_session import lock_session
from billing.runtime.slots import lease_seconds


@transaction.atomic
def beat_session(*, session_id: UUID, account_id: UUID, state: str | None, at: datetime) -> Session:
    """A sign of life of a session, with a new `state` if one is given: it keeps its slot, or frees it at an end (P9).

    Of a session that has ended only the same end may be told again. Raises the problems not-found, session-ended,
    session-stopped, and invalid-request for a state that is not its holder's to tell.
    """
    if state is not None and state not in (*Session.LIVE, *Session.ENDS):
        raise problem("invalid-request", f"A session cannot be made {state}.")
    session = lock_session(account_id=account_id, session_id=session_id, at=at)
    if session.ended_at is not None:
        if state == session.state:
            return session
        if session.state == Session.State.STOPPED:
            raise problem("session-stopped", "The session was stopped.", remedy="Start another session.")
        raise problem("session-ended", f"The session is {session.state}.", remedy="Start another session.")
    session.state = state or session.state
    session.heartbeat_at = max(session.heartbeat_at, at)
    if state in Session.ENDS:
        session.ended_at = at
    else:
        session.lease_until = max(session.lease_until, at + timedelta(seconds=lease_seconds()))
    session.save(update_fields=["state", "heartbeat_at", "lease_until", "ended_at"])
    return session
