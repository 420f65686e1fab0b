"""Tenants with their workspaces, members and billing accounts."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import now

from tenants.models import Membership, Tenant, Workspace
from tenants.permissions import Role
from tenants.services.record_audit import Actor, record_audit
from tenants.staff_admin import ReadOnlyInline, StaffAdmin, StaffInline, link, link_to_list

_ACCOUNT = "billing_subscriptions_billingaccount"


class WorkspaceInline(ReadOnlyInline[Workspace, Tenant]):
    """A workspace is opened together with its billing, by the console or a service."""

    model = Workspace
    fields = ("name", "slug", "environment", "account", "created_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        return super().get_queryset(request).select_related("billing__account__tenant")

    @admin.display(description="Paid for by")
    def account(self, workspace: Workspace) -> str:
        billing = getattr(workspace, "billing", None)
        return link(_ACCOUNT, billing.account_id, billing.account) if billing else "–"


# Django's formsets cannot be subscripted at run time.
if TYPE_CHECKING:

    class _MembershipFormSet(BaseInlineFormSet[Membership, Tenant, ModelForm[Membership]]): ...
else:
    _MembershipFormSet = BaseInlineFormSet


class MembershipFormSet(_MembershipFormSet):
    """Members of a tenant; one that has an owner keeps one."""

    def clean(self) -> None:
        super().clean()
        kept = [form.cleaned_data for form in self.forms if form.is_valid() and not form.cleaned_data.get("DELETE")]
        had_owner = any(form.instance.pk and form.initial.get("role") == Role.OWNER for form in self.initial_forms)
        if had_owner and not any(values.get("role") == Role.OWNER for values in kept):
            raise ValidationError("A tenant keeps at least one owner. Make somebody else an owner first.")


class MembershipInline(StaffInline[Membership, Tenant]):
    model = Membership
    formset = MembershipFormSet
    fields = ("user", "role", "created_at")
    readonly_fields = ("created_at",)
    autocomplete_fields = ("user",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "tenant")


@admin.register(Tenant)
class TenantAdmin(StaffAdmin[Tenant]):
    """A tenant is opened with its billing account by a service, and never deleted: its money and usage name it."""

    list_display = ("name", "slug", "members", "timezone", "created_at")
    list_filter = ("created_at",)
    search_fields = ("name", "slug", "memberships__user__email")
    search_help_text = "Name, slug, member’s e-mail or id"
    fields = ("name", "slug", "timezone", "billing_accounts", "records", "created_at")
    readonly_fields = ("slug", "billing_accounts", "records", "created_at")
    inlines = (WorkspaceInline, MembershipInline)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Tenant | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        return super().get_queryset(request).annotate(members=Count("memberships", distinct=True))

    @admin.display(description="Members", ordering="members")
    def members(self, tenant: Tenant) -> int:
        return int(vars(tenant)["members"])

    @admin.display(description="Billing accounts")
    def billing_accounts(self, tenant: Tenant) -> SafeString:
        accounts = tenant.billing_accounts.order_by("name")
        return format_html_join(", ", "{}", ((link(_ACCOUNT, account.id, account.name),) for account in accounts))

    @admin.display(description="Records")
    def records(self, tenant: Tenant) -> SafeString:
        lists = {
            "API keys": "tenants_apikey",
            "Usage events": "billing_usage_usageevent",
            "Authorizations": "billing_runtime_authorization",
            "Audit log": "tenants_auditevent",
        }
        return format_html_join(
            ", ", "{}", ((link_to_list(model, name, q=tenant.id),) for name, model in lists.items())
        )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        super().save_formset(request, form, formset, change)
        changed = [membership for membership, _ in formset.changed_objects]
        for action, memberships in (
            ("member.added", formset.new_objects),
            ("member.changed", changed),
            ("member.removed", formset.deleted_objects),
        ):
            for membership in memberships:
                self._record(request, action, membership)

    def _record(self, request: HttpRequest, action: str, membership: Membership) -> None:
        record_audit(
            tenant_id=membership.tenant_id,
            actor=Actor(user_id=request.user.pk),
            action=action,
            target=membership.user.email,
            at=now(),
            detail={"role": membership.role},
        )
