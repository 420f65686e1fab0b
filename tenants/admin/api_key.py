"""API keys: which there are, and taking one back."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from tenants.models import ApiKey
from tenants.services.record_audit import Actor
from tenants.services.revoke_api_key import revoke_api_key
from tenants.staff_admin import ReadOnlyAdmin, badge


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin[ApiKey]):
    """A key is made in the console, by whoever may see it once; staff can revoke it."""

    list_display = ("name", "tenant", "workspace", "last_four", "state", "created_at", "last_used_at")
    list_select_related = ("tenant", "workspace")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("name", "last_four", "tenant__slug", "tenant__name")
    search_help_text = "Name, last four characters, tenant or id"
    id_search_fields = ("id", "tenant_id", "workspace_id")
    exclude = ("digest",)
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tenants.change_apikey")

    @badge("State", {"active": "success", "revoked": "danger"})
    def state(self, key: ApiKey) -> str:
        return "active" if key.revoked_at is None else "revoked"

    @admin.action(description="Revoke for good", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        keys = queryset.filter(revoked_at=None)
        for key in keys:
            revoke_api_key(tenant_id=key.tenant_id, key_id=key.id, at=now(), actor=Actor(user_id=request.user.pk))
        self.message_user(request, f"{len(keys)} revoked.", messages.SUCCESS)
