"""What staff say when they record a sale or pay a creator (M10)."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.db.models import Q
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from billing.credits.models import Creator, Sale
from billing.subscriptions.models import BillingAccount
from tenants.staff_admin import show_amount, uuid_in
from tenants.staff_dialogs import DialogForm


class SaleForm(DialogForm):
    """A sale of the creator whose id is `object_id`. The key is made with the form: sent twice, it sells once."""

    buyer = forms.CharField(
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text="Slug of a tenant, whose default account pays, or the id of a billing account.",
    )
    item = forms.CharField(max_length=Sale._meta.get_field("item").max_length, widget=UnfoldAdminTextInputWidget)
    amount = forms.DecimalField(
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01"}),
        help_text="In the buyer's currency. 80 % is the creator's.",
    )
    key = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)

    def clean_buyer(self) -> BillingAccount:
        said = self.cleaned_data["buyer"].strip()
        named = uuid_in(said)
        by_id, by_slug = Q(id=named), Q(tenant__slug=said, is_default=True)
        account = BillingAccount.objects.filter(by_id if named else by_slug).select_related("tenant").first()
        if account is None:
            raise forms.ValidationError("There is no such billing account.")
        return account


class PayForm(DialogForm):
    """Shows what is owed to the creator whose id is `object_id`; valid while that is still what is owed."""

    owed = forms.CharField(label="Owed", disabled=True, required=False, widget=UnfoldAdminTextInputWidget)
    shown = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        payable = Creator.objects.select_related("payable").get(id=UUID(self.object_id)).payable
        self.initial["owed"] = self.initial["shown"] = f"{show_amount(payable.balance)} {payable.currency}"

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("shown") != self.initial["shown"]:
            raise forms.ValidationError("Something else is owed by now. Look again.")
        return self.cleaned_data
