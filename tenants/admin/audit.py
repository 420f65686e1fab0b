"""The audit log of all tenants."""

from django.contrib import admin

from tenants.models import AuditEvent
from tenants.staff_admin import LargeTableAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(LargeTableAdmin[AuditEvent]):
    """Who did what to whom."""

    list_display = ("at", "tenant", "action", "target", "actor_user", "actor_key")
    list_select_related = ("tenant", "actor_user", "actor_key")
    list_filter = ("at",)
    search_fields = ("action", "tenant__slug", "tenant__name", "actor_user__email")
    search_help_text = "Action, tenant, actor or id"
    id_search_fields = ("id", "tenant_id", "actor_key_id")
