from collections.abc import Mapping
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
    new_id, terms = uuid7(), terms_of(account_id, at)
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
    attributes = {"office": office, "agent": agent, "end_user": user}
    if slot.session_id is not None:
        return _renewed(Session.objects.get(id=slot.session_id), attributes, state, at), False
    place = {"account_id": account_id, "tenant_id": tenant_id, "workspace_id": workspace_id}
    times = {"started_at": at, "heartbeat_at": at, "lease_until": _lease_from(at)}
    return Session.objects.create(id=new_id, name=slot.name, state=state, **place, **attributes, **times), True


def _renewed(session: Session, attributes: Mapping[str, str], state: str, at: datetime) -> Session:
    """The live session with a later lease; what was not known of it before is filled in."""
    session.state = state
    for field, value in attributes.items():
        setattr(session, field, getattr(session, field) or value)
    session.heartbeat_at = max(session.heartbeat_at, at)
    session.lease_until = max(session.lease_until, _lease_from(at))
    session.save(update_fields=["state", "heartbeat_at", "lease_until", *attributes])
    return session


def _lease_from(at: datetime) -> datetime:
    return at + timedelta(seconds=lease_seconds())
