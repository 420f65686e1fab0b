"""Billing details: to whom invoices are made out (I1)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.details_form import DetailsForm
from billing.console.pages.billing_details import details_page
from billing.console.rendering import render_page
from billing.core.problems import Problem
from billing.invoices.parties import billing_details
from billing.invoices.services.set_billing_details import set_billing_details
from billing.stripe_sync.tasks import queue_details
from tenants.permissions import Permission
from tenants.services.record_audit import Actor

PAGE = "console/billing_details.html"


@require_safe
@member_page(Permission.BILLING_VIEW)
def details(request: ConsoleRequest, member: Member) -> HttpResponse:
    """The form, or for who only looks what invoices bear."""
    return render_page(request, member, PAGE, details_page(member.account))


@require_http_methods(["GET", "POST"])
@member_page(Permission.BILLING_MANAGE)
def save(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Save them for the next invoice; a GET comes from a reload."""
    if request.method == "GET":
        return redirect("console:billing_details")
    form = DetailsForm(request.POST, details=billing_details(member.account.id))
    if form.is_valid():
        try:
            set_billing_details(
                account_id=member.account.id, changes=form.changes(), at=now(), actor=Actor(user_id=member.user.id)
            )
        except Problem as problem:
            form.refuse(problem)
    if not form.is_valid():
        form.focus_on_error()
        return render_page(request, member, PAGE, details_page(member.account, form=form), status=422)
    queue_details(member.account.id)
    messages.success(request, "Saved. The next invoice is made out like this.")
    return redirect("console:billing_details")
