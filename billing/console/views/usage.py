"""Usage by day, model and product."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.usage import CURRENT, PREVIOUS, usage_page
from billing.console.queries import find_workspace
from billing.console.rendering import render_page, without_plan
from billing.subscriptions.errors import NoActivePlan
from tenants.permissions import Permission


@require_safe
@member_page(Permission.BILLING_VIEW)
def usage(request: ConsoleRequest, member: Member) -> HttpResponse:
    """`?period=current|previous` and `?workspace=<slug>` narrow it; anything else in them is 404."""
    period = request.GET.get("period") or CURRENT
    slug = request.GET.get("workspace", "")
    if period not in {CURRENT, PREVIOUS}:
        raise Http404
    workspace_id = _workspace_id(member.account.id, slug) if slug else None
    try:
        page = usage_page(member.account, now(), period_filter=period, workspace_filter=slug, workspace_id=workspace_id)
    except NoActivePlan:
        return without_plan(request, member)
    return render_page(request, member, "console/usage.html", page, fragment="console/usage/_results.html")


def _workspace_id(account_id: UUID, slug: str) -> UUID:
    workspace = find_workspace(account_id=account_id, slug=slug)
    if workspace is None:
        raise Http404
    return workspace.id
