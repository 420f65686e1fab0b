"""Who used which key when, and how keys' health changed."""

from django.contrib import admin
from django.utils.safestring import SafeString

from tenants.staff_admin import LargeTableAdmin, badge, link
from vault.admin.shown import HEALTH_COLOURS
from vault.models import CredentialAccess, HealthChange


@admin.register(CredentialAccess)
class CredentialAccessAdmin(LargeTableAdmin[CredentialAccess]):
    """The log of accesses (K5, K10). Append-only."""

    list_display = ("at", "tenant", "key_link", "number", "purpose", "outcome_badge", "workspace", "agent", "run_link")
    list_select_related = ("tenant", "credential", "workspace", "actor_key", "actor_user")
    list_filter = ("purpose", "outcome", "at")
    search_fields = ("tenant__slug", "tenant__name")
    search_help_text = "Tenant, or the id of an access, key, tenant or authorization"
    id_search_fields = ("id", "credential_id", "tenant_id", "run_id")
    fields = (
        ("at", "purpose", "outcome"),
        ("tenant", "key_link", "number"),
        ("workspace", "office", "agent", "model"),
        ("run_link", "actor_key", "actor_user"),
    )
    readonly_fields = ("key_link", "run_link")

    @admin.display(description="Key")
    def key_link(self, access: CredentialAccess) -> SafeString:
        return link("vault_credential", access.credential_id, access.credential)

    @admin.display(description="Authorization")
    def run_link(self, access: CredentialAccess) -> str:
        return link("billing_runtime_authorization", access.run_id, "Authorization") if access.run_id else "–"

    @badge("Outcome", {"granted": "success", "unreadable": "danger"}, ordering="outcome")
    def outcome_badge(self, access: CredentialAccess) -> str:
        return access.outcome


@admin.register(HealthChange)
class HealthChangeAdmin(LargeTableAdmin[HealthChange]):
    """What became of keys, the newest first; customers are told by e-mail (K9)."""

    list_display = ("at", "owner", "key_link", "before", "after_badge", "reason", "source", "told_at")
    list_select_related = ("credential__tenant",)
    list_filter = ("after", "source", "at")
    search_fields = ("credential__name", "credential__tenant__slug", "credential__tenant__name")
    search_help_text = "Key, tenant, or the id of a change or key"
    id_search_fields = ("id", "credential_id")
    fields = (("at", "owner", "key_link"), ("before", "after"), ("reason", "source"), "told_at")
    readonly_fields = ("owner", "key_link")

    @admin.display(description="Owner")
    def owner(self, change: HealthChange) -> str:
        return str(change.credential.tenant) if change.credential.tenant else "The platform"

    @admin.display(description="Key")
    def key_link(self, change: HealthChange) -> SafeString:
        return link("vault_credential", change.credential_id, change.credential)

    @badge("After", HEALTH_COLOURS, ordering="after")
    def after_badge(self, change: HealthChange) -> str:
        return change.after
