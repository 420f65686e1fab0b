"""The platform's own keys: several a provider, their share of the load, their health, what staff do with them (K12)."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.timezone import now

from tenants.services.record_audit import Actor
from tenants.staff_admin import badge, link_to_list
from vault.admin.credential import HealthInline, VersionInline
from vault.admin.platform_key_actions import PlatformKeyActions
from vault.admin.platform_key_forms import NewPlatformKeyForm, PlatformKeyForm
from vault.admin.shown import HEALTH_COLOURS, last_four, with_last_four
from vault.models import CredentialAccess, PlatformKey
from vault.services.change_credential import change_credential

_LOAD = timedelta(hours=1)


@admin.register(PlatformKey)
class PlatformKeyAdmin(PlatformKeyActions):
    """Runs are spread over a provider's keys by weight; one that fails rests for a while. Budgets have a page of
    their own."""

    list_display = (
        "provider",
        "name",
        "shown",
        "health_badge",
        "weight",
        "load",
        "cools_until",
        "checked_at",
        "enabled",
    )
    list_filter = ("provider", "health", ("disabled_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "provider")
    search_help_text = "Provider, name or id"
    ordering = ("provider", "name")
    inlines = (VersionInline, HealthInline)
    fields: ClassVar[Any] = (
        ("provider", "name", "weight"),
        ("shown", "current_number", "load"),
        ("health", "health_since", "health_reason"),
        ("checked_at", "next_check_at", "cools_until", "failures"),
        ("disabled_at", "revoked_at", "created_by", "created_at"),
        "accesses_link",
    )
    form = PlatformKeyForm
    actions_detail = ("check_now", "rotate", "go_back", "disable", "enable", "revoke")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlatformKey]:
        keys: QuerySet[Any] = with_last_four(super().get_queryset(request))
        handed = Q(accesses__purpose=CredentialAccess.Purpose.RUN, accesses__at__gte=now() - _LOAD)
        counted: QuerySet[PlatformKey] = keys.select_related("created_by").annotate(
            runs=Count("accesses", filter=handed)
        )
        return counted

    def get_form(
        self, request: HttpRequest, obj: PlatformKey | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change, **(kwargs | ({} if obj else {"form": NewPlatformKeyForm})))
        form.actor = Actor(user_id=request.user.pk)
        return form

    def get_fields(self, request: HttpRequest, obj: PlatformKey | None = None) -> Any:
        return ("provider", "name", "key", "weight") if obj is None else super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: PlatformKey | None = None) -> Any:
        if obj is None:
            return ()
        rows = (row if isinstance(row, tuple) else (row,) for row in self.fields)
        return tuple(name for row in rows for name in row if name not in {"name", "weight"})

    def get_inlines(self, request: HttpRequest, obj: PlatformKey | None = None) -> Any:
        return () if obj is None else self.inlines

    def has_delete_permission(self, request: HttpRequest, obj: PlatformKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: PlatformKey, form: Any, change: Any) -> None:
        if not change:
            obj.id = form.made.id  # the page goes on with what the service has made
            return
        said, actor = form.cleaned_data, Actor(user_id=request.user.pk)
        change_credential(
            tenant_id=None, credential_id=obj.id, name=said["name"], weight=said["weight"], actor=actor, at=now()
        )

    @admin.display(description="Key")
    def shown(self, key: PlatformKey) -> str:
        return last_four(key)

    @badge("Health", HEALTH_COLOURS, ordering="health")
    def health_badge(self, key: PlatformKey) -> str:
        return key.health

    @admin.display(description="Runs in the last hour", ordering="runs")
    def load(self, key: PlatformKey) -> str:
        return f"{vars(key)['runs']:,}"

    @admin.display(description="Enabled", boolean=True)
    def enabled(self, key: PlatformKey) -> bool:
        return key.disabled_at is None and key.revoked_at is None

    @admin.display(description="Accesses")
    def accesses_link(self, key: PlatformKey) -> SafeString:
        return link_to_list("vault_credentialaccess", "Who used it when", q=key.id)
