"""Which key runs where, over all tenants."""

from django.contrib import admin

from tenants.staff_admin import ReadOnlyAdmin
from vault.models import Assignment, KeyPolicy


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin[Assignment]):
    """Customers assign in the console; here is what they chose (K4, K7)."""

    list_display = ("tenant", "provider", "models", "place", "key", "created_at")
    list_select_related = ("tenant", "workspace", "office", "agent", "credential")
    list_filter = ("provider",)
    search_fields = ("tenant__name", "tenant__slug", "credential__name")
    search_help_text = "Tenant, key, or the id of an assignment, tenant or key"
    id_search_fields = ("id", "tenant_id", "credential_id")
    ordering = ("tenant__name", "provider", "model")
    fields = (("tenant", "place"), ("provider", "models"), "key", ("created_by", "created_at"))
    readonly_fields = ("place", "models", "key")

    @admin.display(description="Models", ordering="model")
    def models(self, assignment: Assignment) -> str:
        return assignment.model or "all"

    @admin.display(description="Place")
    def place(self, assignment: Assignment) -> str:
        names = (assignment.workspace, assignment.office, assignment.agent)
        return " › ".join(str(name) for name in names if name is not None) or "the whole tenant"

    @admin.display(description="Key", ordering="credential__name")
    def key(self, assignment: Assignment) -> str:
        return str(assignment.credential) if assignment.credential else "the platform’s"


@admin.register(KeyPolicy)
class KeyPolicyAdmin(ReadOnlyAdmin[KeyPolicy]):
    """What tenants want where no key of their own is usable (K6)."""

    list_display = ("tenant", "fallback", "changed_by", "changed_at")
    list_select_related = ("tenant", "changed_by")
    list_filter = ("fallback",)
    search_fields = ("tenant__name", "tenant__slug")
    search_help_text = "Tenant or its id"
    id_search_fields = ("tenant_id",)
