"""What belongs to a billing account, on its page."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.plans.feature_values import show_value
from billing.subscriptions.models import (
    BillingAccount,
    EntitlementOverride,
    SpendControls,
    Subscription,
    WorkspaceBilling,
)
from tenants.staff_admin import ReadOnlyInline


class SubscriptionInline(ReadOnlyInline[Subscription, BillingAccount]):
    model = Subscription
    fields = ("plan_version", "interval", "variant", "seats", "anchor", "starts_at", "ends_at")
    readonly_fields = fields
    ordering = ("-starts_at",)
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        return super().get_queryset(request).select_related("plan_version__plan", "account__tenant")


class WorkspaceLinkInline(ReadOnlyInline[WorkspaceBilling, BillingAccount]):
    model = WorkspaceBilling
    fields = ("workspace",)
    readonly_fields = fields
    verbose_name_plural = "workspaces that it pays for"
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkspaceBilling]:
        return super().get_queryset(request).select_related("workspace", "account__tenant")


class ControlsInline(ReadOnlyInline[SpendControls, BillingAccount]):
    model = SpendControls
    fields = ("overage_enabled", "overage_ceiling", "daily_cap", "user_daily_cap", "burn_alerts", "changed_at")
    readonly_fields = fields
    verbose_name_plural = "the customer's own caps"

    def get_queryset(self, request: HttpRequest) -> QuerySet[SpendControls]:
        return super().get_queryset(request).select_related("account__tenant")


class OverrideInline(ReadOnlyInline[EntitlementOverride, BillingAccount]):
    model = EntitlementOverride
    fields = ("feature", "shown_value", "reason", "created_by", "created_at")
    readonly_fields = fields
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[EntitlementOverride]:
        return super().get_queryset(request).select_related("created_by", "account__tenant")

    @admin.display(description="Value")
    def shown_value(self, override: EntitlementOverride) -> str:
        return show_value(override.value)
