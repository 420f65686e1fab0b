"""The plan catalogue, and the account's own plan."""

from django.http import HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.plans import plans_page
from billing.console.rendering import render_page
from tenants.permissions import Permission


@require_safe
@member_page(Permission.BILLING_VIEW)
def plans(request: ConsoleRequest, member: Member) -> HttpResponse:
    """What each plan costs and includes; the account's own is marked. Who may manage billing can choose another."""
    return render_page(request, member, "console/plans.html", plans_page(member.account, now()))
