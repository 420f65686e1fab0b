"""The form of billing details: to whom invoices are made out."""

from django import forms
from django.http import QueryDict

from billing.console.service_form import ServiceForm
from billing.invoices.countries import COUNTRIES
from billing.invoices.models import BillingDetails
from billing.invoices.parties import DETAIL_FIELDS, LONGEST

_LABELS = {
    "name": ("Legal name", "organization", "A company’s or a person’s. Without one, invoices bear the tenant’s name."),
    "line1": ("Address", "address-line1", ""),
    "line2": ("Address, second line", "address-line2", ""),
    "postal_code": ("Postal code", "postal-code", ""),
    "city": ("City", "address-level2", ""),
    "region": ("State or region", "address-level1", ""),
    "country": ("Country", "country", ""),
    "tax_id": ("Tax ID", "off", "Such as a VAT number, an EIN or an ABN; its shape is checked against the country’s."),
    "reference": ("Reference", "off", "Such as a purchase order number. Every invoice bears it as it stands here."),
}


class DetailsForm(ServiceForm):
    """All of them, each may be left empty."""

    country = forms.ChoiceField(
        required=False, choices=[("", "None"), *sorted(COUNTRIES.items(), key=lambda entry: entry[1])]
    )

    def __init__(self, data: QueryDict | None = None, *, details: BillingDetails) -> None:
        known = {name: getattr(details, name) for name in DETAIL_FIELDS}
        super().__init__(data, initial=known)
        for name, (label, autocomplete, help_text) in _LABELS.items():
            if name != "country":
                self.fields[name] = forms.CharField(max_length=LONGEST[name], required=False)
            self.fields[name].label, self.fields[name].help_text = label, help_text
            self.fields[name].widget.attrs["autocomplete"] = autocomplete
        self.order_fields(_LABELS)
