"""Reading sessions. A lease that is over ends its session, whether or not a worker has written that down (P9)."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from billing.runtime.models import Session


def live_sessions(*, account_id: UUID, at: datetime) -> list[Session]:
    """The sessions that hold the account's slots, the newest first."""
    return list(_live(account_id, at))


def count_live(account_id: UUID, at: datetime) -> int:
    """How many slots of the account are taken."""
    return _live(account_id, at).count()


def sessions_page(
    *,
    account_id: UUID,
    at: datetime,
    live: bool | None,
    workspace_id: UUID | None = None,
    limit: int,
    before: UUID | None = None,
) -> list[Session]:
    """Sessions of the account, the newest first: live ones, those that have ended, or both where `live` is None."""
    sessions = Session.objects.filter(account_id=account_id)
    if workspace_id is not None:
        sessions = sessions.filter(workspace_id=workspace_id)
    if live is not None:
        is_live = Q(ended_at__isnull=True, lease_until__gt=at)
        sessions = sessions.filter(is_live if live else ~is_live)
    if before is not None:
        sessions = sessions.filter(id__lt=before)
    return [as_of(session, at) for session in sessions.order_by("-id")[:limit]]


def find_session(*, account_id: UUID, session_id: UUID) -> Session | None:
    """The account's session with this id, as it is stored; `as_of` tells what the clock makes of it."""
    return Session.objects.filter(account_id=account_id, id=session_id).first()


def session_of_tenant(*, tenant_id: UUID, workspace_id: UUID | None, session_id: UUID, at: datetime) -> Session | None:
    """The session with this id in any account of the tenant, or in one workspace alone."""
    sessions = Session.objects.filter(tenant_id=tenant_id, id=session_id)
    if workspace_id is not None:
        sessions = sessions.filter(workspace_id=workspace_id)
    found = sessions.first()
    return None if found is None else as_of(found, at)


def as_of(session: Session, at: datetime) -> Session:
    """The same session, lost where its lease is over and nobody has written that down yet; nothing is saved."""
    if session.ended_at is None and session.lease_until <= at:
        session.state = Session.State.EXPIRED
        session.ended_at = session.lease_until
    return session


def _live(account_id: UUID, at: datetime) -> QuerySet[Session]:
    live = Session.objects.filter(account_id=account_id, ended_at__isnull=True, lease_until__gt=at)
    return live.order_by("-id")
