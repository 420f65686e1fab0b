"""Billing accounts, their subscriptions and staff's exceptions."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import now

from billing.plans.admin.feature_form import FeatureValueForm
from billing.plans.feature_values import show_value
from billing.plans.features import FEATURES
from billing.subscriptions.models import BillingAccount, EntitlementOverride, Subscription, WorkspaceBilling
from tenants.services.record_audit import Actor, record_audit
from tenants.staff_admin import ReadOnlyAdmin, ReadOnlyInline, StaffAdmin, badge, link, link_to_list, show_amount

_OWN_ID = ("id", "account_id", "account__tenant_id")
_TENANT_SEARCH = ("account__tenant__name", "account__tenant__slug", "account__name")


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

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkspaceBilling]:
        return super().get_queryset(request).select_related("workspace", "account__tenant")


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


@admin.register(BillingAccount)
class BillingAccountAdmin(StaffAdmin[BillingAccount]):
    """An account is opened by a service, with its ledger and its subscription; staff change its name and threshold."""

    list_display = ("__str__", "currency", "balance", "held", "available", "owed", "is_default", "signed_up_at")
    list_select_related = ("tenant", "credits", "receivable")
    list_filter = ("currency", "is_default", "signed_up_at")
    search_fields = ("name", "tenant__name", "tenant__slug")
    search_help_text = "Name, tenant, or the id of an account, tenant, workspace or ledger account"
    id_search_fields = ("id", "tenant_id", "workspace_links__workspace_id", "credits_id", "receivable_id")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("tenant_link", "name"),
                    ("low_balance_threshold", "currency"),
                    ("is_default", "signed_up_at"),
                )
            },
        ),
        ("Money", {"fields": (("balance", "held"), ("available", "owed"), "records")}),
    )
    inlines = (SubscriptionInline, OverrideInline, WorkspaceLinkInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillingAccount]:
        return super().get_queryset(request).select_related("tenant", "credits", "receivable")

    def get_readonly_fields(self, request: HttpRequest, obj: BillingAccount | None = None) -> tuple[str, ...]:
        return (
            "tenant_link",
            "currency",
            "is_default",
            "signed_up_at",
            "balance",
            "held",
            "available",
            "owed",
            "records",
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: BillingAccount | None = None) -> bool:
        return False

    @admin.display(description="Tenant")
    def tenant_link(self, account: BillingAccount) -> SafeString:
        return link("tenants_tenant", account.tenant_id, account.tenant)

    @admin.display(description="Balance")
    def balance(self, account: BillingAccount) -> str:
        return show_amount(account.credits.balance)

    @admin.display(description="Held", ordering="credits__debits_pending")
    def held(self, account: BillingAccount) -> str:
        return show_amount(account.credits.debits_pending)

    @admin.display(description="Available")
    def available(self, account: BillingAccount) -> str:
        return show_amount(account.credits.available)

    @admin.display(description="Owed")
    def owed(self, account: BillingAccount) -> str:
        return show_amount(-account.receivable.balance)

    @admin.display(description="Records")
    def records(self, account: BillingAccount) -> SafeString:
        lists = (
            link("billing_credits_ledgeraccount", account.credits_id, "Ledger account"),
            link_to_list("billing_credits_transfer", "Transfers", q=account.id),
            link_to_list("billing_credits_grant", "Grants", account__id__exact=account.credits_id),
            link_to_list("billing_usage_usageevent", "Usage events", q=account.id),
            link_to_list("billing_runtime_authorization", "Authorizations", q=account.id),
            link_to_list("billing_subscriptions_entitlementoverride", "Overrides", account__id__exact=account.id),
        )
        return format_html_join(", ", "{}", ((href,) for href in lists))


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin[Subscription]):
    """Which account was on which version, and when. Changed by services, with proration."""

    list_display = ("account", "plan_version", "state", "interval", "variant", "seats", "starts_at", "ends_at")
    list_select_related = ("account__tenant", "plan_version__plan")
    list_filter = ("plan_version__plan", "interval", "variant", ("ends_at", admin.EmptyFieldListFilter))
    search_fields = (*_TENANT_SEARCH, "plan_version__plan__slug")
    search_help_text = "Tenant, plan, or the id of a subscription, account, tenant or plan version"
    id_search_fields = (*_OWN_ID, "plan_version_id")
    ordering = ("-starts_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        return super().get_queryset(request).select_related("account__tenant", "plan_version__plan")

    @badge("State", {"active": "success", "scheduled": "info", "ended": "default"})
    def state(self, subscription: Subscription) -> str:
        at = now()
        if subscription.starts_at > at:
            return "scheduled"
        return "active" if subscription.ends_at is None or subscription.ends_at > at else "ended"


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


@admin.register(WorkspaceBilling)
class WorkspaceBillingAdmin(ReadOnlyAdmin[WorkspaceBilling]):
    """Which account pays for which workspace."""

    list_display = ("workspace", "account", "tenant")
    list_select_related = ("workspace", "account__tenant", "tenant")
    search_fields = ("workspace__name", "workspace__slug", *_TENANT_SEARCH)
    search_help_text = "Workspace, tenant, or the id of a workspace, account or tenant"
    id_search_fields = ("workspace_id", "account_id", "tenant_id")
    ordering = ("tenant__name", "workspace__name")
