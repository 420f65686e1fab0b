"""A form for the value of a feature, written as people write it and checked by the feature's kind (P3)."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from billing.plans.feature_values import BadFeatureValue, parse_value, show_value
from billing.plans.features import FEATURES
from tenants.staff_admin import M, TypedModelForm


class FeatureValueForm(TypedModelForm[M]):
    """Chooses a feature and takes its value as text: `20`, `unlimited`, `5.00`, `yes`, `webhook, email`."""

    feature = forms.ChoiceField(
        choices=[("", "Select value"), *((feature.code, feature.name) for feature in FEATURES.values())],
        widget=UnfoldAdminSelectWidget,
    )
    value = forms.CharField(
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextInputWidget,
        help_text="A number or “unlimited”, yes or no, words with commas between them, or a text.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial["value"] = show_value(vars(self.instance)["value"])

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        if "feature" in cleaned and "value" in cleaned:
            try:
                cleaned["value"] = parse_value(cleaned["feature"], cleaned["value"])
            except BadFeatureValue as error:
                self.add_error("value", str(error))
        return cleaned
