"""A key's own page, and what can be done with it short of replacing its text (K9, K10)."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_POST, require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.key_forms import KeySettingsForm, forget_keys
from billing.console.key_refusals import refusal_text, refuse
from billing.console.pages.keys.cards import key_card
from billing.console.pages.keys.key import key_page, uses_of
from billing.console.rendering import is_swap, render_page
from tenants.permissions import Permission
from tenants.services.record_audit import Actor
from vault.errors import VaultError
from vault.models import Credential
from vault.queries import KeySummary, find_credential
from vault.services.change_credential import change_credential
from vault.services.revoke_credential import revoke_credential
from vault.services.validate_credential import validate_credential

PAGE = "console/keys/key.html"


@require_safe
@member_page(Permission.TENANT_MANAGE)
def key(request: ConsoleRequest, member: Member, key_id: UUID) -> HttpResponse:
    """404 for a key of another tenant, as for one that does not exist."""
    return render_page(request, member, PAGE, key_page(member.tenant, found(member, key_id)))


@require_safe
@member_page(Permission.TENANT_MANAGE)
def uses(request: ConsoleRequest, member: Member, key_id: UUID) -> HttpResponse:
    """Further rows of who used the key; without htmx the page that begins with them."""
    summary = found(member, key_id)
    try:
        before = UUID(hex=request.GET.get("before", ""))
    except ValueError:
        raise Http404 from None
    rows = uses_of(member.tenant, key_id, before=before)
    if is_swap(request):
        return render_page(request, member, "console/keys/_uses.html", rows)
    return render_page(request, member, "console/keys/uses.html", {"card": key_card(summary), "slice": rows})


@require_POST
@member_page(Permission.TENANT_MANAGE)
def check(request: ConsoleRequest, member: Member, key_id: UUID) -> HttpResponse:
    """Ask the provider now. The page again, its health swapped in by htmx."""
    found(member, key_id)
    try:
        validate_credential(
            tenant_id=member.tenant.id, credential_id=key_id, actor=Actor(user_id=member.user.id), at=now()
        )
    except VaultError as refusal:
        messages.error(request, refusal_text(refusal))
    if not is_swap(request):
        return redirect("console:key", key_id)
    return render_page(request, member, "console/keys/_checked.html", key_page(member.tenant, found(member, key_id)))


@require_POST
@member_page(Permission.TENANT_MANAGE)
def change(request: ConsoleRequest, member: Member, key_id: UUID) -> HttpResponse:
    """Another name, another day of expiry; 422 with the form where that is refused."""
    summary = found(member, key_id)
    form = KeySettingsForm(request.POST, tenant=member.tenant)
    if form.is_valid():
        try:
            change_credential(
                tenant_id=member.tenant.id,
                credential_id=key_id,
                name=form.cleaned_data["name"],
                expires_at=form.expires_at(),
                actor=Actor(user_id=member.user.id),
                at=now(),
            )
        except VaultError as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, "Saved.")
            return redirect("console:key", key_id)
    forget_keys(form)
    page = key_page(member.tenant, summary, settings=form, opened="settings")
    return render_page(request, member, PAGE, page, status=422)


@require_POST
@member_page(Permission.TENANT_MANAGE)
def switch(request: ConsoleRequest, member: Member, key_id: UUID) -> HttpResponse:
    """Disable the key, or enable it again."""
    summary, disabled = found(member, key_id), request.POST.get("enabled") != "1"
    actor = Actor(user_id=member.user.id)
    try:
        change_credential(tenant_id=member.tenant.id, credential_id=key_id, disabled=disabled, actor=actor, at=now())
    except VaultError as refusal:
        messages.error(request, refusal_text(refusal))
    else:
        messages.success(request, f"“{summary.credential.name}” is {'disabled' if disabled else 'enabled'}.")
    return redirect("console:key", key_id)


@require_POST
@member_page(Permission.TENANT_MANAGE)
def revoke(request: ConsoleRequest, member: Member, key_id: UUID) -> HttpResponse:
    """Erase the key's texts for good."""
    summary, actor = found(member, key_id), Actor(user_id=member.user.id)
    try:
        revoke_credential(tenant_id=member.tenant.id, credential_id=key_id, actor=actor, at=now())
    except VaultError as refusal:
        messages.error(request, refusal_text(refusal))
        return redirect("console:key", key_id)
    messages.success(request, f"“{summary.credential.name}” is revoked, and its text erased.")
    return redirect("console:keys")


def found(member: Member, key_id: UUID) -> KeySummary:
    """The tenant's key, else 404."""
    try:
        return find_credential(member.tenant.id, key_id)
    except Credential.DoesNotExist:
        raise Http404 from None
