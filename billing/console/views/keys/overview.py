"""The provider keys page, the account's switch for them, and the choice for runs without a usable one (K6, K11)."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_POST, require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.key_forms import PolicyForm
from billing.console.pages.keys.overview import keys_page
from billing.console.pages.keys.own_keys import own_keys_panel
from billing.console.rendering import render_page
from billing.core.problems import Problem
from billing.stripe_sync.services.toggle_byok import toggle_byok
from billing.subscriptions.services.use_own_keys import use_own_keys
from tenants.permissions import Permission
from tenants.services.record_audit import Actor
from vault.resolution import STRICT
from vault.services.set_policy import set_policy

_WITHOUT_PRICE = {"plan-without-byok", "no-active-plan"}


@require_safe
@member_page(Permission.TENANT_MANAGE)
def keys(request: ConsoleRequest, member: Member) -> HttpResponse:
    """All keys by provider, the broken ones first."""
    return render_page(request, member, "console/keys/overview.html", keys_page(member.account, now()))


@require_POST
@member_page(Permission.TENANT_MANAGE)
def switch(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Use own keys, or none of them. Where that has a price, to the page that shows it first; 403 without billing."""
    if Permission.BILLING_MANAGE not in member.permissions:
        raise PermissionDenied
    enabled, at = request.POST.get("enabled") == "1", now()
    panel = own_keys_panel(member.account, at)
    if panel is not None and panel.is_on == enabled:
        return redirect("console:keys")
    if panel is not None and panel.change_url:
        return redirect(panel.change_url)
    try:
        _switch(member, enabled=enabled)
    except Problem as problem:
        page = keys_page(member.account, at, problem=problem)
        return render_page(request, member, "console/keys/overview.html", page, status=problem.status)
    text = "Own keys are on: runs use them where they are assigned." if enabled else "Own keys are off: runs use none."
    messages.success(request, text)
    return redirect("console:keys")


@require_POST
@member_page(Permission.TENANT_MANAGE)
def policy(request: ConsoleRequest, member: Member) -> HttpResponse:
    """What happens where no key of the tenant's can be used."""
    form = PolicyForm(request.POST)
    if not form.is_valid():
        raise Http404
    fallback = form.cleaned_data["fallback"]
    set_policy(tenant_id=member.tenant.id, fallback=fallback, actor=Actor(user_id=member.user.id), at=now())
    strict = "Runs without a usable key are refused from now on."
    messages.success(request, strict if fallback == STRICT else "The platform's key stands in from now on.")
    return redirect("console:keys")


def _switch(member: Member, *, enabled: bool) -> None:
    """With the plan's price where it has one for either kind of keys; raises Problem."""
    account_id, actor, at = member.account.id, Actor(user_id=member.user.id), now()
    try:
        toggle_byok(account_id=account_id, enabled=enabled, actor=actor, at=at)
    except Problem as problem:
        if problem.code not in _WITHOUT_PRICE:
            raise
        use_own_keys(account_id=account_id, enabled=enabled, actor=actor, at=at)
