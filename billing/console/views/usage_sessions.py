"""The session ledger and a session's own page."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.usage_choice import UnknownChoice, choose
from billing.console.pages.usage_session import SessionKey, event_slice, session_page
from billing.console.pages.usage_sessions import BadCursor, ledger_page, ledger_slice, read_cursor
from billing.console.rendering import is_swap, render_page, without_plan
from billing.console.usage_queries import tenant_workspace
from billing.console.views.usage_choice import chosen
from billing.subscriptions.errors import NoActivePlan
from billing.usage.session_ledger import Position
from tenants.permissions import Permission


@require_safe
@member_page(Permission.BILLING_VIEW)
def ledger(request: ConsoleRequest, member: Member) -> HttpResponse:
    """The period's sessions; `?before=` continues them, for a swap as rows alone."""
    at, before = now(), _position(request.GET.get("before", ""))
    choice = chosen(request, member, at)
    if choice is None:
        return without_plan(request, member)
    if before is not None and is_swap(request):
        rows = ledger_slice(member.account, choice, before=before)
        return render_page(request, member, "console/usage/_session_rows.html", rows)
    page = ledger_page(member.account, choice, at, before=before)
    return render_page(
        request, member, "console/usage/sessions.html", page, fragment="console/usage/_sessions_page.html"
    )


@require_safe
@member_page(Permission.BILLING_VIEW)
def session(request: ConsoleRequest, member: Member) -> HttpResponse:
    """`?session=` of `?workspace=` in `?period=`; `?before=` continues its events, for a swap as rows alone.

    404 for a session that the account does not have.
    """
    key, before = _key(request, member), _event(request.GET.get("before", ""))
    if before is not None and is_swap(request):
        rows = event_slice(member.account, key, before=before)
        return render_page(request, member, "console/usage/_event_rows.html", rows)
    page = session_page(member.account, key, before=before)
    if page is None:
        raise Http404
    return render_page(request, member, "console/usage/session.html", page)


def _key(request: ConsoleRequest, member: Member) -> SessionKey:
    name, slug = request.GET.get("session", ""), request.GET.get("workspace", "")
    if not name or "\x00" in name + slug:
        raise Http404
    try:
        choice = choose(member.account, now(), period=request.GET.get("period", ""), workspace="")
    except (UnknownChoice, NoActivePlan):
        raise Http404 from None
    workspace = tenant_workspace(tenant_id=member.tenant.id, slug=slug)
    if workspace is None:
        raise Http404
    return SessionKey(choice.option, workspace, name)


def _position(cursor: str) -> Position | None:
    try:
        return read_cursor(cursor) if cursor else None
    except BadCursor:
        raise Http404 from None


def _event(cursor: str) -> UUID | None:
    try:
        return UUID(hex=cursor) if cursor else None
    except ValueError:
        raise Http404 from None
