"""Every provider key, customers' and the platform's, by health."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from tenants.staff_admin import ReadOnlyAdmin, ReadOnlyInline, badge
from vault.admin.shown import HEALTH_COLOURS, last_four, with_last_four
from vault.models import Credential, CredentialVersion, HealthChange


class VersionInline(ReadOnlyInline[CredentialVersion, Credential]):
    model = CredentialVersion
    fields = ("number", "last_four", "created_at", "created_by", "overlap_ends_at", "revoked_at")
    readonly_fields = fields
    ordering = ("-number",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CredentialVersion]:
        return super().get_queryset(request).select_related("created_by", "credential").defer("ciphertext")


class HealthInline(ReadOnlyInline[HealthChange, Credential]):
    model = HealthChange
    verbose_name_plural = "health"
    fields = ("at", "before", "after", "reason", "source", "told_at")
    readonly_fields = fields
    max_num = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[HealthChange]:
        return super().get_queryset(request).select_related("credential")


@admin.register(Credential)
class CredentialAdmin(ReadOnlyAdmin[Credential]):
    """Customers manage their keys in the console; staff see which work. The platform's are run on their own page."""

    list_display = ("owner", "provider", "name", "shown", "health_badge", "health_since", "checked_at", "in_use")
    list_select_related = ("tenant",)
    list_filter = ("health", "provider", ("disabled_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "tenant__name", "tenant__slug")
    search_help_text = "Name, tenant, or the id of a key or tenant"
    id_search_fields = ("id", "tenant_id")
    ordering = ("-health_since", "-id")
    fields = (
        ("owner", "provider", "name"),
        ("shown", "current_number", "base_url"),
        ("health", "health_since", "health_reason"),
        ("checked_at", "next_check_at", "failures"),
        ("expires_at", "disabled_at", "revoked_at"),
        ("created_by", "created_at"),
    )
    readonly_fields = ("owner", "shown")
    inlines = (VersionInline, HealthInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        return with_last_four(super().get_queryset(request)).select_related("tenant", "created_by")

    @admin.display(description="Owner", ordering="tenant__name")
    def owner(self, credential: Credential) -> str:
        return str(credential.tenant) if credential.tenant else "The platform"

    @admin.display(description="Key")
    def shown(self, credential: Credential) -> str:
        return last_four(credential)

    @badge("Health", HEALTH_COLOURS, ordering="health")
    def health_badge(self, credential: Credential) -> str:
        return credential.health

    @admin.display(description="In use", boolean=True)
    def in_use(self, credential: Credential) -> bool:
        return credential.disabled_at is None and credential.revoked_at is None
