"""Buying credits: the quote while the amount is typed, and the way to Checkout (M4, S2)."""

from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_POST, require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.origins import own_address
from billing.console.pages.credits import credits_page
from billing.console.pages.top_ups import TopUpPanel, top_up_panel
from billing.console.payment_forms import BuyForm, TopUpForm
from billing.console.rendering import render_page
from billing.core.problems import Problem
from billing.stripe_sync.services.open_top_up_checkout import open_top_up_checkout
from tenants.permissions import Permission


@require_safe
@member_page(Permission.BILLING_MANAGE)
def quote(request: ConsoleRequest, member: Member) -> HttpResponse:
    """The form again with what its amount comes to; without htmx the page that has it."""
    if not request.htmx:
        return redirect("console:credits")
    form = TopUpForm(request.GET, currency=member.account.currency)
    panel = top_up_panel(member.account, form, key=str(uuid4()))
    return render_page(request, member, "console/credits/_top_up_form.html", panel)


@require_POST
@member_page(Permission.BILLING_MANAGE)
def buy(request: ConsoleRequest, member: Member) -> HttpResponse:
    """To Checkout; where that fails, back to the credits with the reason and the amount as it was typed."""
    form = BuyForm(request.POST, currency=member.account.currency)
    if not form.is_valid():
        if "key" in form.errors:
            raise Http404
        return _again(request, member, top_up_panel(member.account, form, key=str(form.data["key"])), status=422)
    key = str(form.cleaned_data["key"])
    try:
        opened = open_top_up_checkout(
            account_id=member.account.id,
            amount=form.cleaned_data["amount"],
            success_url=own_address(request, "console:checkout_return", key),
            cancel_url=own_address(request, "console:checkout_cancelled", key),
            idempotency_key=key,
            at=now(),
        )
    except Problem as problem:
        return _refused(request, member, form, key, problem)
    return redirect("console:checkout_return", key) if opened.is_paid else redirect(opened.url)


def _refused(request: ConsoleRequest, member: Member, form: BuyForm, key: str, problem: Problem) -> HttpResponse:
    """With the same key to retry with: what Stripe may have done already is done once."""
    panel = top_up_panel(member.account, form, key=key, problem=problem)
    if problem.code == "idempotency-conflict":
        # A page of the browser's history has a button whose payment page is closed: it gets a new one.
        messages.info(request, "The payment page that this led to is closed. Press the button once more for a new one.")
        panel = top_up_panel(member.account, form, key=str(uuid4()))
    return _again(request, member, panel, status=problem.status)


def _again(request: ConsoleRequest, member: Member, panel: TopUpPanel, *, status: int) -> HttpResponse:
    page = credits_page(member.account, now(), top_up=panel)
    return render_page(request, member, "console/credits.html", page, status=status)
