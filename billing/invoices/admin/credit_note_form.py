"""What staff say when they credit an invoice."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from billing.core.money import minor_unit, spell_amount
from billing.invoices.models import Invoice
from billing.invoices.services.correct_usage import creditable_of
from tenants.staff_admin import uuid_in
from tenants.staff_dialogs import DialogForm


class CreditNoteForm(DialogForm):
    """An amount, taxes included, and a reason that is printed. `notes` is how many there were when it was opened."""

    amount = forms.DecimalField(min_value=0, max_digits=21, decimal_places=4, widget=UnfoldAdminDecimalFieldWidget)
    note = forms.CharField(
        label="Reason", max_length=Invoice._meta.get_field("note").max_length, widget=UnfoldAdminTextInputWidget
    )
    notes = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = uuid_in(str(self.object_id))
        self._invoice = Invoice.objects.filter(id=found).first() if found is not None else None
        if self._invoice is not None:
            currency = self._invoice.currency
            left = spell_amount(creditable_of(self._invoice), currency)
            self.fields["amount"].help_text = f"{left} can be credited, taxes included."
            self.fields["amount"].widget.attrs["step"] = f"{minor_unit(currency):f}"
            self.fields["notes"].initial = self._notes()

    def is_outdated(self) -> bool:
        """Whether a credit note was issued since the form was opened."""
        return bool(self._notes() != self.cleaned_data["notes"])

    def _notes(self) -> int:
        return Invoice.objects.filter(corrects=self._invoice).count() if self._invoice is not None else 0
