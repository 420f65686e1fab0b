"""API keys of the tenant: listed, made and revoked by members who may manage it."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.forms import ApiKeyForm
from billing.console.pages.api_keys import api_keys_page
from billing.console.queries import workspaces_of_tenant
from billing.console.rendering import render_page
from tenants.models import ApiKey
from tenants.permissions import Permission
from tenants.services.create_api_key import create_api_key
from tenants.services.record_audit import Actor
from tenants.services.revoke_api_key import revoke_api_key


@require_safe
@member_page(Permission.TENANT_MANAGE)
def api_keys(request: ConsoleRequest, member: Member) -> HttpResponse:
    """The keys, and the form for a new one."""
    return _answer(request, member, _form(member))


@require_http_methods(["GET", "POST"])
@member_page(Permission.TENANT_MANAGE)
@sensitive_variables("plain")
def create(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Make a key and show it once; 422 with the form where it is refused. A GET comes from a reload."""
    if request.method == "GET":
        return redirect("console:api_keys")
    form = _form(member, request.POST)
    if not form.is_valid():
        return _answer(request, member, form, status=422)
    _, plain = create_api_key(
        tenant_id=member.tenant.id,
        name=form.cleaned_data["name"],
        scopes=form.scopes_chosen(),
        workspace_id=form.workspace_chosen(),
        at=now(),
        actor=Actor(user_id=member.user.id),
    )
    response = _answer(request, member, _form(member), new_key=plain)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@member_page(Permission.TENANT_MANAGE)
def revoke(request: ConsoleRequest, member: Member, key_id: UUID) -> HttpResponse:
    """Revoke a key for good; 404 for a key of another tenant."""
    try:
        key = revoke_api_key(tenant_id=member.tenant.id, key_id=key_id, at=now(), actor=Actor(user_id=member.user.id))
    except ApiKey.DoesNotExist:
        raise Http404 from None
    messages.success(request, f"The key “{key.name}” is revoked.")
    return redirect("console:api_keys")


def _form(member: Member, data: QueryDict | None = None) -> ApiKeyForm:
    return ApiKeyForm(data, permissions=member.permissions, workspaces=workspaces_of_tenant(member.tenant.id))


def _answer(
    request: ConsoleRequest, member: Member, form: ApiKeyForm, *, new_key: str = "", status: int = 200
) -> HttpResponse:
    page = api_keys_page(member.tenant.id, form, new_key=new_key)
    fragment = "console/api_keys/_panel.html"
    return render_page(request, member, "console/api_keys.html", page, fragment=fragment, status=status)
