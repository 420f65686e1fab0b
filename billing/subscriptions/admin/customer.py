"""The tenant's page with what needs billing: opening customers, accounts and workspaces."""

from typing import Any

from allauth.account.forms import ResetPasswordForm
from allauth.core.context import request_context
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from billing.subscriptions.admin.customer_forms import NewAccountForm, NewCustomerForm, NewWorkspaceForm
from billing.subscriptions.errors import UnknownPlan
from billing.subscriptions.services.open_account import open_account
from billing.subscriptions.services.open_customer import open_customer
from billing.subscriptions.services.open_workspace import open_workspace
from tenants.admin.tenant import TenantAdmin
from tenants.models import Tenant
from tenants.services.record_audit import Actor
from tenants.staff_admin import change_url, go_to
from tenants.staff_dialogs import dialog_action

_NEW_FIELDSETS = (
    (None, {"fields": (("name", "slug"), "timezone")}),
    ("Begins with", {"fields": ("owner_email", "plan", ("workspace_name", "workspace_slug"))}),
)

admin.site.unregister(Tenant)


@admin.register(Tenant)
class CustomerAdmin(TenantAdmin):
    """A tenant is opened together with its owner, its billing account and its first workspace."""

    actions_detail = ("add_workspace", "open_billing_account")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(("tenants.add_tenant", "billing_subscriptions.add_billingaccount"))

    def has_workspace_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("tenants.add_workspace")

    def has_account_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("billing_subscriptions.add_billingaccount")

    def get_form(self, request: HttpRequest, obj: Tenant | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            return super().get_form(request, obj, change, **(kwargs | {"form": NewCustomerForm}))
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        return _NEW_FIELDSETS if obj is None else super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        return () if obj is None else super().get_readonly_fields(request, obj)

    def get_inlines(self, request: HttpRequest, obj: Tenant | None) -> Any:
        return () if obj is None else super().get_inlines(request, obj)

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: Any) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        said = form.cleaned_data
        opened = open_customer(
            name=said["name"],
            slug=said["slug"],
            timezone=said["timezone"],
            workspace_name=said["workspace_name"],
            workspace_slug=said["workspace_slug"],
            plan_slug=said["plan"],
            owner_email=said["owner_email"],
            at=now(),
            actor=Actor(user_id=request.user.pk),
        )
        obj.id = opened.tenant.id  # the page goes on with what the service has made
        if opened.owner.is_new_user:
            email = opened.owner.membership.user.email
            # A mail server that is down costs the link, not the customer: the sign-in page sends another.
            transaction.on_commit(lambda: _send_password_link(request, email), robust=True)
            self.message_user(request, f"{email} is sent a link to set a password.", messages.INFO)

    @dialog_action(
        "Add workspace",
        form_class=NewWorkspaceForm,
        submit="Add",
        text="Agents run in it, and the billing account pays for them.",
        icon="add_home_work",
        permission="workspace",
        url_path="add-workspace",
    )
    def add_workspace(self, request: HttpRequest, form: NewWorkspaceForm, tenant: Tenant) -> HttpResponse:
        said = form.cleaned_data
        workspace = open_workspace(
            account_id=said["account"].id,
            name=said["name"],
            slug=said["slug"],
            environment=said["environment"],
            at=now(),
            actor=Actor(user_id=request.user.pk),
        )
        self.log_change(request, tenant, f"Added workspace {workspace.slug}")
        self.message_user(request, f"{workspace} is open.", messages.SUCCESS)
        return go_to(change_url("tenants_tenant", tenant.id))

    @dialog_action(
        "Open billing account",
        form_class=NewAccountForm,
        submit="Open",
        text="Holds a plan and a balance of its own, apart from the tenant's other accounts.",
        icon="account_balance_wallet",
        permission="account",
        url_path="open-billing-account",
    )
    def open_billing_account(self, request: HttpRequest, form: NewAccountForm, tenant: Tenant) -> HttpResponse:
        said = form.cleaned_data
        try:
            account = open_account(
                tenant_id=tenant.id,
                name=said["name"],
                plan_slug=said["plan"],
                at=now(),
                actor=Actor(user_id=request.user.pk),
                is_default=not tenant.billing_accounts.filter(is_default=True).exists(),
            )
        except UnknownPlan as error:
            raise ValidationError(str(error)) from error
        self.log_change(request, tenant, f"Opened billing account {account.name}")
        self.message_user(request, f"{account} is open.", messages.SUCCESS)
        return go_to(change_url("billing_subscriptions_billingaccount", account.id))


def _send_password_link(request: HttpRequest, email: str) -> None:
    form = ResetPasswordForm({"email": email})
    if form.is_valid():
        with request_context(request):
            form.save(request)
