"""What staff say when they open a customer, an account of theirs or a workspace."""

from typing import Any
from uuid import UUID

from django import forms
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from billing.subscriptions.admin.plan_change_form import plan_choices
from billing.subscriptions.models import BillingAccount, WorkspaceBilling
from tenants.models import Tenant, Workspace
from tenants.staff_admin import TypedModelForm
from tenants.staff_dialogs import DialogForm


class NewCustomerForm(TypedModelForm[Tenant]):
    """A tenant with all that it needs to begin."""

    owner_email = forms.EmailField(
        label="Owner’s e-mail",
        max_length=254,
        widget=UnfoldAdminEmailInputWidget,
        help_text="Somebody new is sent a link to set a password.",
    )
    plan = forms.ChoiceField(choices=plan_choices, widget=UnfoldAdminSelectWidget)
    workspace_name = forms.CharField(max_length=200, initial="Production", widget=UnfoldAdminTextInputWidget)
    workspace_slug = forms.SlugField(max_length=63, initial="production", widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = Tenant
        fields = ("name", "slug", "timezone")


class NewAccountForm(DialogForm):
    """An account of the tenant whose id is `object_id`."""

    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget)
    plan = forms.ChoiceField(choices=plan_choices, widget=UnfoldAdminSelectWidget)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if BillingAccount.objects.filter(tenant_id=UUID(self.object_id), name=name).exists():
            raise forms.ValidationError("The tenant has an account of this name.")
        return name


class AccountOfTenantForm(DialogForm):
    """Chooses which of a tenant's accounts pays."""

    account = forms.ModelChoiceField(
        BillingAccount.objects.none(), label="Paid for by", empty_label=None, widget=UnfoldAdminSelectWidget
    )

    def offer_accounts(self, tenant_id: UUID) -> None:
        """The accounts of this tenant, and no other's."""
        accounts = BillingAccount.objects.filter(tenant_id=tenant_id).select_related("tenant")
        field = self.fields["account"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = accounts.order_by("-is_default", "name")


class NewWorkspaceForm(AccountOfTenantForm):
    """A workspace of the tenant whose id is `object_id`, and the account that pays for it."""

    name = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)
    slug = forms.SlugField(max_length=63, widget=UnfoldAdminTextInputWidget)
    environment = forms.TypedChoiceField(
        choices=Workspace.Environment.choices, coerce=Workspace.Environment, widget=UnfoldAdminSelectWidget
    )
    field_order = ("name", "slug", "environment", "account")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_accounts(UUID(self.object_id))


class MoveWorkspaceForm(AccountOfTenantForm):
    """The account that pays from now on for the workspace whose id is `object_id`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        link = WorkspaceBilling.objects.get(workspace_id=UUID(self.object_id))
        self.offer_accounts(link.tenant_id)
        self.initial["account"] = link.account_id
