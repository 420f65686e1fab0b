"""Subscriptions, and which account pays for which workspace."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from billing.subscriptions.admin.customer_forms import MoveWorkspaceForm
from billing.subscriptions.models import Subscription, WorkspaceBilling
from billing.subscriptions.services.move_workspace import move_workspace
from tenants.services.record_audit import Actor
from tenants.staff_admin import ReadOnlyAdmin, badge, change_url, go_to
from tenants.staff_dialogs import dialog_action

_OWN_ID = ("id", "account_id", "account__tenant_id")
_TENANT_SEARCH = ("account__tenant__name", "account__tenant__slug", "account__name")


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


@admin.register(WorkspaceBilling)
class WorkspaceBillingAdmin(ReadOnlyAdmin[WorkspaceBilling]):
    """Which account pays for which workspace."""

    list_display = ("workspace", "account", "tenant")
    list_select_related = ("workspace", "account__tenant", "tenant")
    search_fields = ("workspace__name", "workspace__slug", *_TENANT_SEARCH)
    search_help_text = "Workspace, tenant, or the id of a workspace, account or tenant"
    id_search_fields = ("workspace_id", "account_id", "tenant_id")
    ordering = ("tenant__name", "workspace__name")
    actions_detail = ("move",)

    def has_move_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("billing_subscriptions.change_workspacebilling")

    @dialog_action(
        "Move to another account",
        form_class=MoveWorkspaceForm,
        submit="Move",
        text="What the workspace uses from now on is the other account's: its plan, its allowances, its balance.",
        icon="swap_horiz",
        permission="move",
        url_path="move",
    )
    def move(self, request: HttpRequest, form: MoveWorkspaceForm, paid: WorkspaceBilling) -> HttpResponse:
        moved = move_workspace(
            workspace_id=paid.workspace_id,
            account_id=form.cleaned_data["account"].id,
            at=now(),
            actor=Actor(user_id=request.user.pk),
        )
        self.log_change(request, moved, f"Moved to {moved.account}")
        self.message_user(request, f"{moved.account} pays for {moved.workspace} from now on.", messages.SUCCESS)
        return go_to(change_url("billing_subscriptions_workspacebilling", moved.pk))
