"""API keys: which there are, making one for the platform's own runtime, and taking one back."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.timezone import now

from tenants.models import ApiKey
from tenants.permissions import Permission
from tenants.services.create_api_key import create_api_key
from tenants.services.record_audit import Actor
from tenants.services.revoke_api_key import revoke_api_key
from tenants.staff_admin import StaffAdmin, TypedModelForm, badge, change_url


class RuntimeKeyForm(TypedModelForm[ApiKey]):
    """Whose runs it is for."""

    class Meta:
        model = ApiKey
        fields = ("tenant", "workspace", "name")

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        workspace = said.get("workspace")
        if workspace is not None and workspace.tenant != said.get("tenant"):
            raise forms.ValidationError({"workspace": "The workspace belongs to another tenant."})
        return said


@admin.register(ApiKey)
class ApiKeyAdmin(StaffAdmin[ApiKey]):
    """Members make their keys in the console. One with the scope `runtime` reads provider keys, the platform's too
    (K5): only staff make it, for a runtime of the platform. Its text is shown once, in the answer that made it."""

    list_display = ("name", "tenant", "workspace", "last_four", "state", "created_at", "last_used_at")
    list_select_related = ("tenant", "workspace")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("name", "last_four", "tenant__slug", "tenant__name")
    search_help_text = "Name, last four characters, tenant or id"
    id_search_fields = ("id", "tenant_id", "workspace_id")
    autocomplete_fields = ("tenant",)
    exclude = ("digest",)
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tenants.change_apikey")

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **(kwargs | ({} if obj else {"form": RuntimeKeyForm})))

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return RuntimeKeyForm.Meta.fields if obj is None else super().get_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: Any) -> None:
        said = form.cleaned_data
        key, plain = create_api_key(
            tenant_id=said["tenant"].id,
            workspace_id=said["workspace"].id if said["workspace"] else None,
            name=said["name"],
            scopes=[Permission.RUNTIME],
            at=now(),
            actor=Actor(user_id=request.user.pk),
        )
        obj.id = key.id
        vars(obj)["plain"] = plain  # for response_add alone: neither a message nor the session may carry it

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": "Runtime key made",
            "key": obj,
            "plain": vars(obj)["plain"],
            "next": change_url("tenants_apikey", obj.id),
        }
        response = TemplateResponse(request, "admin/runtime_key_made.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @badge("State", {"active": "success", "revoked": "danger"})
    def state(self, key: ApiKey) -> str:
        return "active" if key.revoked_at is None else "revoked"

    @admin.action(description="Revoke for good", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        keys = queryset.filter(revoked_at=None)
        for key in keys:
            revoke_api_key(tenant_id=key.tenant_id, key_id=key.id, at=now(), actor=Actor(user_id=request.user.pk))
        self.message_user(request, f"{len(keys)} revoked.", messages.SUCCESS)
