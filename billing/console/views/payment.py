"""Saved cards, and the way to Stripe's portal (I3, S3)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_POST, require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.origins import own_address
from billing.console.pages.payment import payment_page
from billing.console.queries import has_stripe_customer
from billing.console.rendering import render_page
from billing.core.problems import Problem
from billing.stripe_sync.client import ONLY_READ, asking_stripe
from billing.stripe_sync.services.open_portal import open_portal
from billing.stripe_sync.services.sync_customer import sync_customer
from tenants.permissions import Permission


@require_safe
@member_page(Permission.BILLING_VIEW)
def payment(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Cards as they were last read."""
    return render_page(request, member, "console/payment.html", payment_page(member.account, now()))


@require_POST
@member_page(Permission.BILLING_MANAGE)
def portal(request: ConsoleRequest, member: Member) -> HttpResponse:
    """To the portal, where cards are added and removed and invoices paid; else the page with the reason why not."""
    back = own_address(request, "console:portal_return")
    try:
        url = open_portal(account_id=member.account.id, return_url=back, at=now())
    except Problem as problem:
        page = payment_page(member.account, now(), problem=problem)
        return render_page(request, member, "console/payment.html", page, status=problem.status)
    return redirect(url)


@require_safe
@member_page(Permission.BILLING_MANAGE)
def portal_return(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Back from the portal: what was changed there is read at once instead of waiting for the webhook."""
    if has_stripe_customer(member.account.id):
        try:
            with asking_stripe(doing="tell what has changed", outcome=ONLY_READ):
                sync_customer(account_id=member.account.id, at=now())
        except Problem as problem:
            messages.warning(request, f"{problem.detail} Your changes appear here as soon as it answers.")
    return redirect("console:payment")
