"""The first page, and the choice of the account that all pages show."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_POST, require_safe

from billing.console.access import CHOSEN_ACCOUNT, ConsoleRequest, Member, member_page
from billing.console.pages.overview import overview_page
from billing.console.rendering import render_page, without_plan
from billing.subscriptions.errors import NoActivePlan
from tenants.permissions import Permission


@require_safe
@member_page(Permission.BILLING_VIEW)
def overview(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Balance, cost and allowances of the period."""
    try:
        page = overview_page(member.account, now())
    except NoActivePlan:
        return without_plan(request, member)
    return render_page(request, member, "console/overview.html", page)


@require_POST
@member_page(Permission.BILLING_VIEW)
def switch(request: ConsoleRequest, member: Member, account_id: UUID) -> HttpResponse:
    """Look at another account from now on, first at its overview or its invoices; 404 unless it is open to the
    person.
    """
    if all(entry.account.id != account_id for entry in member.open_accounts):
        raise Http404
    request.session[CHOSEN_ACCOUNT] = str(account_id)
    return redirect("console:invoices" if request.POST.get("to") == "invoices" else "console:overview")
