"""Sessions of an account that hold no slot: the stopped ones with who stopped them, and those that have ended."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from billing.core.ids import encode_id
from billing.runtime.models import Session
from billing.runtime.session_queries import as_of
from tenants.models import AuditEvent, Membership, Workspace

STAFF, FORMER = "the platform's staff", "somebody who has left"


def stopped_sessions(account_id: UUID, *, limit: int) -> list[Session]:
    """Sessions whose names take no runs until somebody allows them again, the latest stopped first."""
    stopped = Session.objects.filter(account_id=account_id, state=Session.State.STOPPED)
    return list(stopped.order_by("-ended_at", "-id")[:limit])


def ended_sessions(account_id: UUID, *, at: datetime, limit: int, before: UUID | None = None) -> list[Session]:
    """Sessions that have ended by themselves or were lost, the latest begun first; older than the session `before`."""
    ended = Session.objects.filter(
        Q(ended_at__isnull=False) & ~Q(state=Session.State.STOPPED) | Q(ended_at__isnull=True, lease_until__lte=at),
        account_id=account_id,
    )
    if before is not None:
        ended = ended.filter(id__lt=before)
    return [as_of(session, at) for session in ended.order_by("-id")[:limit]]


def stoppers_of(sessions: Sequence[Session]) -> dict[UUID, str]:
    """Who stopped those of one tenant's sessions that were stopped by hand, from its audit log; one query.

    Members are named by their e-mail address and keys by their names. Staff of the platform are not named, and no more
    is who was a member then.
    """
    by_hand = {encode_id("ses", session.id): session for session in sessions if session.stopped_for == Session.BY_HAND}
    tenant_ids = {session.tenant_id for session in sessions}
    member = Membership.objects.filter(tenant_id=OuterRef("tenant_id"), user_id=OuterRef("actor_user_id"))
    lines = AuditEvent.objects.filter(
        tenant_id__in=tenant_ids,
        at__in={session.ended_at for session in by_hand.values()},
        action="session.stopped",
        target__in=by_hand,
    ).annotate(is_member=Exists(member))
    rows = lines.values_list("target", "is_member", "actor_user__email", "actor_user__is_staff", "actor_key__name")
    return {
        by_hand[target].id: email if is_member else _not_a_member(is_staff, key)
        for target, is_member, email, is_staff, key in rows
    }


def _not_a_member(is_staff: bool | None, key: str | None) -> str:
    """Who did something that no present member did; `is_staff` is None where it was no person."""
    if key:
        return f"the API key “{key}”"
    return FORMER if is_staff is False else STAFF


def workspace_names(workspace_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names by id, in one query."""
    return dict(Workspace.objects.filter(id__in=set(workspace_ids)).values_list("id", "name"))
