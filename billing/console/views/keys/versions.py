"""Another text for a key, and the way back to the old one while that is kept (K8)."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.key_forms import RotateForm, forget_keys
from billing.console.key_refusals import refusal_text, refuse
from billing.console.pages.keys.key import key_page
from billing.console.rendering import is_swap, render_page
from billing.console.views.keys.key import PAGE, found
from tenants.permissions import Permission
from tenants.services.record_audit import Actor
from vault.errors import VaultError
from vault.inputs import check_expiry
from vault.models import Credential
from vault.providers import PROVIDERS
from vault.queries import KeySummary
from vault.services.change_credential import change_credential
from vault.services.restore_version import restore_version
from vault.services.rotate_credential import rotate_credential


@require_POST
@sensitive_post_parameters("api_key")
@member_page(Permission.TENANT_MANAGE)
def rotate(request: ConsoleRequest, member: Member, key_id: UUID) -> HttpResponse:
    """Check the new text and put it in the old one's place; 422 with the form, its key left out, where it fails."""
    summary = found(member, key_id)
    form = _form(member, summary, request.POST)
    if form.is_valid():
        try:
            key = _rotate(member, key_id, form)
        except VaultError as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, f"Version {key.current_number} of “{key.name}” is in use.")
            url = reverse("console:key", args=[key_id])
            return HttpResponseClientRedirect(url) if is_swap(request) else redirect(url)
    forget_keys(form)
    page, fragment = key_page(member.tenant, summary, rotation=form, opened="rotation"), "console/keys/_rotate.html"
    return render_page(request, member, PAGE, page, fragment=fragment, status=422)


@require_POST
@member_page(Permission.TENANT_MANAGE)
def restore(request: ConsoleRequest, member: Member, key_id: UUID) -> HttpResponse:
    """Go back to the version before, as long as it is kept."""
    found(member, key_id)
    actor = Actor(user_id=member.user.id)
    try:
        restore_version(tenant_id=member.tenant.id, credential_id=key_id, actor=actor, at=now())
    except VaultError as refusal:
        messages.error(request, refusal_text(refusal))
    else:
        messages.success(request, "The version before is in use again.")
    return redirect("console:key", key_id)


@sensitive_variables()
def _form(member: Member, summary: KeySummary, data: QueryDict) -> RotateForm:
    provider = PROVIDERS.get(summary.credential.provider)
    if provider is None:
        raise Http404
    return RotateForm(data, provider=provider, tenant=member.tenant)


@sensitive_variables()
def _rotate(member: Member, key_id: UUID, form: RotateForm) -> Credential:
    """The day on which the new text expires is another one than the old text's, or not known."""
    tenant_id, actor, at, ends = member.tenant.id, Actor(user_id=member.user.id), now(), form.expires_at()
    check_expiry(ends, at)
    plain, overlap = form.cleaned_data["api_key"], form.overlap()
    key = rotate_credential(tenant_id=tenant_id, credential_id=key_id, plain=plain, overlap=overlap, actor=actor, at=at)
    if ends is None:
        return key
    return change_credential(tenant_id=tenant_id, credential_id=key_id, expires_at=ends, actor=actor, at=at)
