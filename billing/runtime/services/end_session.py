from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.runtime.models import Session
from billing.runtime.services.lock_session import lock_session


@transaction.atomic
def end_session(*, account_id: UUID, session_id: UUID, at: datetime) -> Session:
    """Free a session's slot: its holder is done with it (P9). One that has ended stays as it is.

    Runs under way are still settled. Raises the problem not-found.
    """
    session = lock_session(account_id=account_id, session_id=session_id, at=at)
    if session.ended_at is None:
        session.state, session.ended_at = Session.State.CANCELLED, at
        session.save(update_fields=["state", "ended_at"])
    return session
