"""Sessions: who holds a slot now, what was stopped, what has ended; one is ended here, or allowed again (P9, M9).

Every member sees them. Ending one is for those who may manage the tenant, as it is for an API key (`tenant.manage`):
it interrupts the tenant's agents and moves no money.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.sessions import (
    OFF,
    SessionRow,
    ended_part,
    live_part,
    session_row,
    sessions_page,
)
from billing.console.rendering import is_swap, render_page, without_plan
from billing.core.ids import InvalidId, decode_id
from billing.core.problems import Problem
from billing.runtime.models import Session
from billing.runtime.services.allow_session import allow_session
from billing.runtime.services.stop_session import stop_session
from billing.runtime.session_queries import find_session
from billing.subscriptions.errors import NoActivePlan
from tenants.permissions import Permission
from tenants.services.record_audit import Actor


@dataclass(frozen=True, slots=True)
class Question:
    """Whether to end a session (`is_end`) or to allow it again, asked on a page or in a dialog of the list."""

    row: SessionRow
    is_end: bool
    in_dialog: bool


@require_safe
@member_page(Permission.BILLING_VIEW)
def sessions(request: ConsoleRequest, member: Member) -> HttpResponse:
    """The page; for a swap the part that changes by itself, or with `?before=` further ended sessions as rows.

    `?refresh=off` keeps it still.
    """
    before, is_paused, at = _position(request), request.GET.get("refresh") == OFF, now()
    try:
        if is_swap(request) and before is not None:
            part = ended_part(member.account, at, before=before)
            return render_page(request, member, "console/sessions/_ended_rows.html", part)
        may_end = Permission.TENANT_MANAGE in member.permissions
        live = live_part(member.account, at, may_end=may_end, is_paused=is_paused)
        if is_swap(request):
            return render_page(request, member, "console/sessions/_live.html", live)
        origin = f"{request.scheme}://{request.get_host()}"
        page = sessions_page(member.account, live, at, origin=origin, before=before)
    except NoActivePlan:
        return without_plan(request, member)
    return render_page(request, member, "console/sessions.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.TENANT_MANAGE)
def end(request: ConsoleRequest, member: Member, session_id: UUID) -> HttpResponse:
    """Ask, and on a POST end the session; 404 for another account's."""
    session, at = _found(member, session_id), now()
    if session.ended_at is not None or session.lease_until <= at:
        return _leave(request, f"“{session.name}” has ended already.")
    if request.method != "POST":
        return _ask(request, member, session, at, is_end=True)
    try:
        stop_session(account_id=member.account.id, session_id=session_id, at=at, actor=_actor(member))
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, f"“{session.name}” is ended and takes no more runs. You can allow it again below.")
    return redirect("console:sessions")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.TENANT_MANAGE)
def allow(request: ConsoleRequest, member: Member, session_id: UUID) -> HttpResponse:
    """Ask, and on a POST let the name of a stopped session be used again; 404 for another account's."""
    session, at = _found(member, session_id), now()
    if session.state != Session.State.STOPPED:
        return _leave(request, f"“{session.name}” is not stopped.")
    if request.method != "POST":
        return _ask(request, member, session, at, is_end=False)
    try:
        allow_session(account_id=member.account.id, session_id=session_id, at=at, actor=_actor(member))
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, f"“{session.name}” may be used again.")
    return redirect("console:sessions")


def _ask(request: ConsoleRequest, member: Member, session: Session, at: datetime, *, is_end: bool) -> HttpResponse:
    try:
        row = session_row(member.account, session, at)
    except NoActivePlan:
        return without_plan(request, member)
    question = Question(row, is_end=is_end, in_dialog=is_swap(request))
    fragment = "console/sessions/_question.html"
    return render_page(request, member, "console/sessions/question.html", question, fragment=fragment)


def _found(member: Member, session_id: UUID) -> Session:
    """The account's session, else 404."""
    session = find_session(account_id=member.account.id, session_id=session_id)
    if session is None:
        raise Http404
    return session


def _leave(request: ConsoleRequest, text: str) -> HttpResponse:
    """Back to the list: what was asked for has happened meanwhile."""
    messages.info(request, text)
    url = reverse("console:sessions")
    return HttpResponseClientRedirect(url) if is_swap(request) else redirect(url)


def _actor(member: Member) -> Actor:
    return Actor(user_id=member.user.id)


def _position(request: ConsoleRequest) -> UUID | None:
    text = request.GET.get("before", "")
    try:
        return decode_id("ses", text) if text else None
    except InvalidId:
        raise Http404 from None
