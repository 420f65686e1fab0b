from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from billing.core.ids import encode_id
from billing.runtime.decisions import check_slot
from billing.runtime.models import Session
from billing.runtime.services.lock_session import lock_slots
from billing.runtime.slots import SLOTS, bound, lease_seconds, session_named, session_refusal
from billing.subscriptions.queries import terms_of


@transaction.atomic
def open_session(
    *,
    account_id: UUID,
    tenant_id: UUID,
    workspace_id: UUID,
    name: str = "",
    office: str = "",
    agent: str = "",
    user: str = "",
    state: str = "running",
    at: datetime,
) -> tuple[Session, bool]:
    """Take a slot for a session, or renew the live one of this name or id (P9); answers whether it is new.

    Without a name the new session's id is its name. `state` is a live one. Raises NoActivePlan, and the problems
    quota-exceeded-concurrent-sessions (429), session-stopped, and session-ended for the id of an ended session.
    """
    lock_slots(account_id)
    terms = terms_of(account_id, at)
    new_id = uuid7()
    slot = check_slot(
        account_id=account_id,
        workspace_id=workspace_id,
        session_id=session_named(name) if name else None,
        name=name or encode_id("ses", new_id),
        slots=bound(terms, SLOTS),
        at=at,
    )
    if slot.verdict is not None:
        raise session_refusal(slot.verdict, terms, feature=slot.feature, used=slot.used, retry_after=slot.retry_after)
    until = at + timedelta(seconds=lease_seconds())
    if slot.session_id is not None:
        known = Session.objects.get(id=slot.session_id)
        return _renewed(known, office=office, agent=agent, user=user, state=state, until=until, at=at), False
    new = Session.objects.create(
        id=new_id,
        account_id=account_id,
        tenant_id=tenant_id,
        workspace_id=workspace_id,
        name=slot.name,
        state=state,
        office=office,
        agent=agent,
        end_user=user,
        started_at=at,
        heartbeat_at=at,
        lease_until=until,
    )
    return new, True


def _renewed(
    session: Session, *, office: str, agent: str, user: str, state: str, until: datetime, at: datetime
) -> Session:
    """The live session with a later lease; what was not known of it before is filled in."""
    session.state = state
    session.office, session.agent = session.office or office, session.agent or agent
    session.end_user = session.end_user or user
    session.heartbeat_at, session.lease_until = max(session.heartbeat_at, at), max(session.lease_until, until)
    session.save(update_fields=["state", "office", "agent", "end_user", "heartbeat_at", "lease_until"])
    return session
