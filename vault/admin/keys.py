"""Key-encryption keys with the progress of re-wrapping, and the data keys that they wrap (K8)."""

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tenants.staff_admin import ReadOnlyAdmin, badge, link, link_to_list
from vault.models import DataKey, KeyEncryptionKey

_COLOURS = {"staged": "info", "active": "success", "retiring": "warning"}


@admin.register(KeyEncryptionKey)
class KeyEncryptionKeyAdmin(ReadOnlyAdmin[KeyEncryptionKey]):
    """Made, activated and retired by commands on the machine (docs/vault.md): no web page touches them."""

    list_display = ("name", "backend", "state_badge", "wraps", "progress", "created_at", "activated_at", "retired_at")
    list_filter = ("state", "backend")
    search_fields = ("name", "location")
    search_help_text = "Name, location or id"
    fields = (
        ("name", "backend", "location"),
        ("state", "progress", "data_keys_link"),
        ("created_at", "activated_at", "retired_at"),
    )
    readonly_fields = ("progress", "data_keys_link")

    def get_queryset(self, request: HttpRequest) -> QuerySet[KeyEncryptionKey]:
        wrapped = Count("data_keys", filter=Q(data_keys__destroyed_at=None))
        return super().get_queryset(request).annotate(wrapped=wrapped)

    @badge("State", _COLOURS, ordering="state")
    def state_badge(self, kek: KeyEncryptionKey) -> str:
        return kek.state

    @admin.display(description="Data keys", ordering="wrapped")
    def wraps(self, kek: KeyEncryptionKey) -> int:
        return int(vars(kek)["wrapped"])

    @admin.display(description="Re-wrapping")
    def progress(self, kek: KeyEncryptionKey) -> str:
        left = self.wraps(kek)
        if kek.state != KeyEncryptionKey.State.RETIRING:
            return "–"
        return f"{left:,} still to re-wrap" if left else "done: it can be retired"

    @admin.display(description="Data keys")
    def data_keys_link(self, kek: KeyEncryptionKey) -> SafeString:
        return link_to_list("vault_datakey", f"{self.wraps(kek):,} data keys", kek__id__exact=kek.id)


@admin.register(DataKey)
class DataKeyAdmin(ReadOnlyAdmin[DataKey]):
    """One a tenant is in use; replaced ones decrypt until nothing hangs on them. Their bytes are on no page."""

    list_display = ("owner", "kek_link", "encryptions", "hanging", "created_at", "replaced_at", "destroyed_at")
    list_select_related = ("tenant", "kek")
    list_filter = (
        "kek",
        ("replaced_at", admin.EmptyFieldListFilter),
        ("destroyed_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("tenant__name", "tenant__slug")
    search_help_text = "Tenant, or the id of a data key or tenant"
    id_search_fields = ("id", "tenant_id")
    fields = (("owner", "kek_link"), ("encryptions", "hanging"), ("created_at", "replaced_at", "destroyed_at"))
    readonly_fields = ("owner", "kek_link", "hanging")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DataKey]:
        live = Count("versions", filter=Q(versions__revoked_at=None))
        return super().get_queryset(request).defer("wrapped").select_related("tenant", "kek").annotate(live=live)

    @admin.display(description="Owner", ordering="tenant__name")
    def owner(self, data_key: DataKey) -> str:
        return str(data_key.tenant) if data_key.tenant else "The platform"

    @admin.display(description="Wrapped by")
    def kek_link(self, data_key: DataKey) -> SafeString:
        return link("vault_keyencryptionkey", data_key.kek_id, data_key.kek)

    @admin.display(description="Key versions", ordering="live")
    def hanging(self, data_key: DataKey) -> int:
        return int(vars(data_key)["live"])
