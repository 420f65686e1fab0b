"""Staff's exceptions from a plan, for one account."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from billing.plans.admin.feature_form import FeatureValueForm
from billing.plans.feature_values import show_value
from billing.plans.features import FEATURES
from billing.subscriptions.models import EntitlementOverride
from tenants.services.record_audit import Actor, record_audit
from tenants.staff_admin import StaffAdmin

_TENANT_SEARCH = ("account__tenant__name", "account__tenant__slug", "account__name")


class OverrideForm(FeatureValueForm[EntitlementOverride]):
    class Meta:
        model = EntitlementOverride
        fields = ("account", "feature", "value", "reason")


@admin.register(EntitlementOverride)
class EntitlementOverrideAdmin(StaffAdmin[EntitlementOverride]):
    """Another value of a feature than the plan's, for one account. In force at once, and in the tenant's audit log."""

    form = OverrideForm
    list_display = ("account", "feature_name", "shown_value", "reason", "created_by", "created_at")
    list_select_related = ("account__tenant", "created_by")
    list_filter = ("created_at",)
    search_fields = ("feature", "reason", *_TENANT_SEARCH)
    search_help_text = "Tenant, feature, reason, or the id of an account or tenant"
    id_search_fields = ("account_id", "account__tenant_id")
    autocomplete_fields = ("account",)
    actions = None  # each is taken back on its own, so that each is written down

    def get_queryset(self, request: HttpRequest) -> QuerySet[EntitlementOverride]:
        return super().get_queryset(request).select_related("account__tenant", "created_by")

    def get_readonly_fields(self, request: HttpRequest, obj: EntitlementOverride | None = None) -> tuple[str, ...]:
        return () if obj is None else ("account", "created_by", "created_at")

    @admin.display(description="Feature", ordering="feature")
    def feature_name(self, override: EntitlementOverride) -> str:
        return FEATURES[override.feature].name if override.feature in FEATURES else override.feature

    @admin.display(description="Value")
    def shown_value(self, override: EntitlementOverride) -> str:
        return show_value(override.value)

    def save_model(self, request: HttpRequest, obj: EntitlementOverride, form: Any, change: Any) -> None:
        obj.created_by_id, obj.created_at = request.user.pk, now()
        super().save_model(request, obj, form, change)
        self._record(request, obj, "entitlement_override.set")

    def delete_model(self, request: HttpRequest, obj: EntitlementOverride) -> None:
        self._record(request, obj, "entitlement_override.removed")
        super().delete_model(request, obj)

    def _record(self, request: HttpRequest, override: EntitlementOverride, action: str) -> None:
        record_audit(
            tenant_id=override.account.tenant_id,
            actor=Actor(user_id=request.user.pk),
            action=action,
            target=override.feature,
            at=now(),
            detail={"account": str(override.account_id), "value": override.value, "reason": override.reason},
        )
