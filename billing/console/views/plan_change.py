"""Choosing a plan: the page that shows what it costs, and the button that does it (P10)."""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.origins import own_address
from billing.console.pages.plan_change import PlanChangePage, Step, plan_change_page
from billing.console.payment_forms import ConfirmForm, TargetForm
from billing.console.rendering import render_page
from billing.core.problems import Problem
from billing.plans.models import PlanPrice
from billing.stripe_sync.changes import Expected, OpenedCheckout
from billing.stripe_sync.plan_offers import MOST_SEATS
from billing.stripe_sync.services.cancel_subscription import cancel_subscription
from billing.stripe_sync.services.change_subscription import change_subscription
from billing.stripe_sync.services.open_plan_checkout import open_plan_checkout
from billing.stripe_sync.services.preview_change import preview_change
from billing.stripe_sync.services.resume_subscription import resume_subscription
from billing.subscriptions.errors import UnknownPlan
from billing.subscriptions.services.use_own_keys import use_own_keys
from tenants.permissions import Permission
from tenants.services.record_audit import Actor


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.BILLING_MANAGE)
def change(request: ConsoleRequest, member: Member) -> HttpResponse:
    """What the change to `?plan=`, `?terms=` and `?seats=` comes to; a POST makes it. 404 for what is not offered."""
    return _confirm(request, member) if request.method == "POST" else _review(request, member)


@require_POST
@member_page(Permission.BILLING_MANAGE)
def resume(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Take a cancellation back, as long as the plan has not ended."""
    try:
        resume_subscription(account_id=member.account.id, actor=Actor(user_id=member.user.id), at=now())
    except Problem as problem:
        messages.error(request, _told(problem))
    else:
        messages.success(request, "Your plan goes on: it renews as before.")
    return redirect("console:plans")


def _review(request: ConsoleRequest, member: Member) -> HttpResponse:
    form = TargetForm(request.GET)
    if not form.is_valid():
        return _refused(request, form)
    page = _previewed(member, _page(member, form, now(), key=str(uuid4())), now())
    return _render(request, member, page, status=200)


def _confirm(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Where it is refused, the page again with the reason, what it costs now, and the same key to retry with."""
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return _refused(request, form)
    at = now()
    page = _page(member, form, at, key=str(form.cleaned_data["key"]))
    try:
        return _do(request, member, page, form.expected(), at)
    except Problem as problem:
        again = _previewed(member, page, at)
        told = replace(again, problem=problem)
        if problem.code == "idempotency-conflict":
            # A page of the browser's history has a button whose payment page is closed: it gets a new one.
            messages.info(
                request, "The payment page that this led to is closed. Press the button once more for a new one."
            )
            told = replace(again, key=str(uuid4()))
        return _render(request, member, told, status=problem.status)


def _do(
    request: ConsoleRequest, member: Member, page: PlanChangePage, expected: Expected, at: datetime
) -> HttpResponse:
    account_id, actor = member.account.id, Actor(user_id=member.user.id)
    match page.step:
        case Step.CHECKOUT:
            return redirect(_open_checkout(request, member, page, at).url)
        case Step.CANCEL:
            cancel_subscription(account_id=account_id, next_plan_slug=page.card.slug, actor=actor, at=at)
            messages.success(request, "Your plan is canceled. You keep it until the end of what you paid for.")
        case Step.CHANGE | Step.AT_ONCE:
            change_subscription(account_id=account_id, target=page.target, expected=expected, actor=actor, at=at)
            _follow_keys(member, page, at)
            messages.success(request, f"Done: {page.summary}.")
        case Step.UNCHANGED:
            messages.info(request, "You have exactly this already.")
    return redirect("console:plans")


def _follow_keys(member: Member, page: PlanChangePage, at: datetime) -> None:
    """Whose keys are paid for is whose keys runs use, once that was changed (K11)."""
    if page.present is not None and page.present.variant != page.target.variant:
        own = page.target.variant == PlanPrice.Variant.BYOK
        use_own_keys(account_id=member.account.id, enabled=own, actor=Actor(user_id=member.user.id), at=at)


def _open_checkout(request: ConsoleRequest, member: Member, page: PlanChangePage, at: datetime) -> OpenedCheckout:
    return open_plan_checkout(
        account_id=member.account.id,
        plan_slug=page.target.plan_slug,
        interval=page.target.interval,
        variant=page.target.variant,
        seats=page.target.seats,
        success_url=own_address(request, "console:checkout_return", page.key),
        cancel_url=own_address(request, "console:checkout_cancelled", page.key),
        idempotency_key=page.key,
        at=at,
    )


def _page(member: Member, form: TargetForm, at: datetime, *, key: str) -> PlanChangePage:
    try:
        return plan_change_page(member.account, form.target(), at, key=key)
    except UnknownPlan:
        raise Http404 from None


def _previewed(member: Member, page: PlanChangePage, at: datetime) -> PlanChangePage:
    """With what the change costs, or why that cannot be said; only a change between paid plans has to be reckoned."""
    if page.step is not Step.CHANGE:
        return page
    try:
        return replace(page, preview=preview_change(account_id=member.account.id, target=page.target, at=at))
    except Problem as problem:
        return replace(page, problem=problem)


def _render(request: ConsoleRequest, member: Member, page: PlanChangePage, *, status: int) -> HttpResponse:
    fragment = "console/plan_change/_review.html"
    return render_page(request, member, "console/plan_change.html", page, fragment=fragment, status=status)


def _refused(request: ConsoleRequest, form: TargetForm) -> HttpResponse:
    """A number of seats can be mistyped; everything else comes from the page."""
    if set(form.errors) != {"seats"}:
        raise Http404
    messages.error(request, f"The number of seats goes from 1 to {MOST_SEATS:,}.")
    return HttpResponseClientRedirect(reverse("console:plans")) if request.htmx else redirect("console:plans")


def _told(problem: Problem) -> str:
    return f"{problem.detail} {problem.remedy}" if problem.remedy else problem.detail
