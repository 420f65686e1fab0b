"""Billing accounts: what they hold, and what staff do to them."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import now

from billing.credits.errors import TransferConflict
from billing.subscriptions.admin.account_parts import (
    ControlsInline,
    OverrideInline,
    SubscriptionInline,
    WorkspaceLinkInline,
)
from billing.subscriptions.admin.grant_form import GrantForm
from billing.subscriptions.admin.plan_change_form import PlanChangeForm
from billing.subscriptions.errors import AgreementGoverns, ChangeAhead, PlanUnchanged, UnknownPlan
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.services.assign_plan import assign_plan
from billing.subscriptions.services.grant_to_account import grant_to_account
from tenants.services.record_audit import Actor
from tenants.staff_admin import StaffAdmin, change_url, go_to, link, link_to_list, show_amount
from tenants.staff_dialogs import dialog_action


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
    inlines = (SubscriptionInline, OverrideInline, ControlsInline, WorkspaceLinkInline)
    actions_detail = ("grant_credits", "change_plan")

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

    def has_money_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("billing_subscriptions.change_billingaccount")

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
            link_to_list("billing_invoices_invoice", "Invoices", q=account.id),
            link_to_list("billing_invoices_billingcycle", "Billing cycles", q=account.id),
            link_to_list("billing_usage_usageevent", "Usage events", q=account.id),
            link_to_list("billing_usage_periodrollup", "Usage by period", q=account.id),
            link_to_list("billing_usage_counter", "Counters", q=account.id),
            link_to_list("billing_usage_burnalert", "Burn alerts", q=account.id),
            link_to_list("billing_runtime_session", "Sessions", q=account.id),
            link_to_list("billing_runtime_authorization", "Authorizations", q=account.id),
            link_to_list("billing_subscriptions_entitlementoverride", "Overrides", account__id__exact=account.id),
        )
        return format_html_join(", ", "{}", ((href,) for href in lists))

    @dialog_action(
        "Grant credits",
        form_class=GrantForm,
        submit="Grant",
        text="In the account's currency. The customer sees the grant, and its note, in their ledger at once.",
        icon="redeem",
        permission="money",
        url_path="grant-credits",
    )
    def grant_credits(self, request: HttpRequest, form: GrantForm, account: BillingAccount) -> HttpResponse:
        at = now()
        try:
            grant = grant_to_account(account_id=account.id, **form.grant(), at=at, actor=Actor(user_id=request.user.pk))
        except (ValueError, TransferConflict) as error:
            raise ValidationError(str(error)) from error
        granted = f"{show_amount(grant.amount)} {account.currency}"
        if grant.created_at == at:
            self.log_change(request, account, f"Granted {granted}")
            self.message_user(request, f"{granted} granted.", messages.SUCCESS)
        else:
            self.message_user(request, f"The form was sent twice: {granted} granted once.", messages.INFO)
        return go_to(change_url("billing_subscriptions_billingaccount", account.id))

    @dialog_action(
        "Change plan",
        form_class=PlanChangeForm,
        submit="Continue",
        text="Shows what will change before it does.",
        icon="sell",
        permission="money",
        url_path="change-plan",
    )
    def change_plan(self, request: HttpRequest, form: PlanChangeForm, account: BillingAccount) -> HttpResponse:
        try:
            subscription = assign_plan(
                account_id=account.id, **form.terms(), at=now(), actor=Actor(user_id=request.user.pk)
            )
        except (UnknownPlan, PlanUnchanged, ChangeAhead, AgreementGoverns) as error:
            raise ValidationError(str(error)) from error
        self.log_change(request, account, f"Put on {subscription.plan_version}")
        self.message_user(request, f"{account} is on {subscription.plan_version}.", messages.SUCCESS)
        return go_to(change_url("billing_subscriptions_billingaccount", account.id))
