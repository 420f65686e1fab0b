"""What staff say when they grant credits."""

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.timezone import now
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from billing.credits.models import Grant, Transfer
from tenants.staff_dialogs import DialogForm


class GrantForm(DialogForm):
    """A grant. The key is made with the form, so that sending it twice grants once."""

    amount = forms.DecimalField(
        min_value=0, max_digits=12, decimal_places=2, widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01"})
    )
    source = forms.TypedChoiceField(
        choices=Grant.Source.choices,
        coerce=Grant.Source,
        initial=Grant.Source.ADJUSTMENT,
        widget=UnfoldAdminSelectWidget,
    )
    priority = forms.IntegerField(
        min_value=0,
        max_value=32_767,
        initial=Grant._meta.get_field("priority").default,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Lower numbers are spent first.",
    )
    expires_at = forms.DateTimeField(
        required=False,
        label="Expires (UTC)",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text="Empty: never.",
    )
    note = forms.CharField(
        max_length=Transfer._meta.get_field("description").max_length, widget=UnfoldAdminTextInputWidget
    )
    key = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= now():
            raise forms.ValidationError("This has passed.")
        return expires_at

    def grant(self) -> dict[str, Any]:
        """As the service takes it."""
        names = ("amount", "source", "priority", "expires_at", "note", "key")
        return {name: self.cleaned_data[name] for name in names}
