"""Named hosts that customers' base URLs may lead to inside our own network."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.timezone import now

from tenants.staff_admin import StaffAdmin, TypedModelForm
from vault.models import AllowedHost


class AllowedHostForm(TypedModelForm[AllowedHost]):
    """A host as a URL names it, and one port."""

    class Meta:
        model = AllowedHost
        fields = ("host", "port", "note")

    def clean_host(self) -> str:
        host: str = self.cleaned_data["host"].strip().lower().rstrip(".")
        return host


@admin.register(AllowedHost)
class AllowedHostAdmin(StaffAdmin[AllowedHost]):
    """Everything else that is private, local or plain http is refused (K3): allow what you would let any customer
    reach."""

    form = AllowedHostForm
    list_display = ("host", "port", "note", "created_by", "created_at")
    list_select_related = ("created_by",)
    search_fields = ("host", "note")
    search_help_text = "Host, note or id"

    def has_change_permission(self, request: HttpRequest, obj: AllowedHost | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: AllowedHost, form: Any, change: Any) -> None:
        obj.created_by_id, obj.created_at = request.user.pk, now()
        super().save_model(request, obj, form, change)
