"""What a period came to."""

from django.http import Http404, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.usage import DEFAULT_VIEW, usage_page
from billing.console.pages.usage_breakdown import VIEWS
from billing.console.rendering import render_page, without_plan
from billing.console.views.usage_choice import chosen
from tenants.permissions import Permission


@require_safe
@member_page(Permission.BILLING_VIEW)
def usage(request: ConsoleRequest, member: Member) -> HttpResponse:
    """`?view=` cuts the cost by product, model, workspace, office or agent, `?all=1` lists all rows; else 404."""
    view, at = VIEWS.get(request.GET.get("view") or DEFAULT_VIEW), now()
    if view is None:
        raise Http404
    choice = chosen(request, member, at)
    if choice is None:
        return without_plan(request, member)
    page = usage_page(member.account, choice, at, view=view, show_all=request.GET.get("all") == "1")
    return render_page(request, member, "console/usage.html", page, fragment="console/usage/_page.html")
