"""Named hosts that customers' base URLs and webhooks may lead to inside our own network."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from tenants.staff_admin import StaffAdmin, TypedModelForm
from vault.admin.discreet import DiscreetForm
from vault.errors import AddressNotAllowed
from vault.inputs import may_be_a_key
from vault.models import AllowedHost
from vault.outbound.addresses import one_spelling


class AllowedHostForm(DiscreetForm, TypedModelForm[AllowedHost]):
    """A host as a URL names it, and one port."""

    port = forms.IntegerField(
        min_value=1,
        max_value=65535,
        widget=UnfoldAdminIntegerFieldWidget,
        error_messages=dict.fromkeys(("min_value", "max_value", "invalid"), "A port is a number from 1 to 65535."),
    )

    class Meta:
        model = AllowedHost
        fields = ("host", "port", "note")

    def clean_host(self) -> str:
        host: str = self.cleaned_data["host"].strip()
        _refuse_keys(host)
        try:
            return one_spelling(host.lower().removeprefix("[").removesuffix("]"))
        except AddressNotAllowed as refusal:
            raise ValidationError(refusal.reason) from None

    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"]
        _refuse_keys(note)
        return note


def _refuse_keys(text: str) -> None:
    if may_be_a_key(text):
        raise ValidationError("This looks like a key. It is shown to others: leave it out.")


@admin.register(AllowedHost)
class AllowedHostAdmin(StaffAdmin[AllowedHost]):
    """Everything else that is private, local or plain http is refused (K3): allow what you would let any customer
    reach."""

    form = AllowedHostForm
    list_display = ("host", "port", "note", "created_by", "created_at")
    list_select_related = ("created_by",)
    search_fields = ("host", "note")
    search_help_text = "Host, note or id"

    def has_change_permission(self, request: HttpRequest, obj: AllowedHost | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: AllowedHost, form: Any, change: Any) -> None:
        obj.created_by_id, obj.created_at = request.user.pk, now()
        super().save_model(request, obj, form, change)
