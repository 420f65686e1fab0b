"""The parts of a plan version: open while it is a draft, sealed with it (P1)."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from billing.plans.admin.feature_form import FeatureValueForm
from billing.plans.catalogue_file import METERED_UNITS
from billing.plans.feature_values import show_value
from billing.plans.models import Entitlement, MeterPrice, PlanPrice, PlanVersion
from tenants.staff_admin import M, StaffInline, TypedModelForm, show_amount


def is_draft(version: Model | None) -> bool:
    """Whether it can still be changed."""
    return isinstance(version, PlanVersion) and version.state == PlanVersion.State.DRAFT


class PartInline(StaffInline[M, PlanVersion]):
    """A part of a version: open while the version is a draft, sealed with it."""

    def has_add_permission(self, request: HttpRequest, obj: PlanVersion | None = None) -> bool:
        return is_draft(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: PlanVersion | None = None) -> bool:
        return is_draft(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: PlanVersion | None = None) -> bool:
        return is_draft(obj) and super().has_delete_permission(request, obj)


class PriceInline(PartInline[PlanPrice]):
    model = PlanPrice
    fields = ("interval", "variant", "amount", "per_seat")


class EntitlementForm(FeatureValueForm[Entitlement]):
    class Meta:
        model = Entitlement
        fields = ("feature", "value", "per_seat", "throttle_after", "throttle_per_minute")


class EntitlementInline(PartInline[Entitlement]):
    model = Entitlement
    form = EntitlementForm

    def get_fields(self, request: HttpRequest, obj: PlanVersion | None = None) -> tuple[str, ...]:
        value = "value" if self.has_change_permission(request, obj) else "shown_value"
        return ("feature", value, "per_seat", "throttle_after", "throttle_per_minute")

    def get_readonly_fields(self, request: HttpRequest, obj: PlanVersion | None = None) -> tuple[str, ...]:
        return () if self.has_change_permission(request, obj) else ("shown_value",)

    @admin.display(description="Value")
    def shown_value(self, entitlement: Entitlement) -> str:
        return show_value(entitlement.value)


class MeterForm(TypedModelForm[MeterPrice]):
    """A product is counted in its own unit, which is not for staff to choose."""

    product = forms.ChoiceField(
        choices=[
            ("", "Select value"),
            *((product, f"{product} (by the {unit})") for product, unit in METERED_UNITS.items()),
        ],
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = MeterPrice
        fields = ("product", "unit_price", "included")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("unit_price", "included"):
            if name in self.initial:
                self.initial[name] = Decimal(show_amount(self.initial[name]))

    def clean(self) -> dict[str, Any] | None:
        self.instance.unit = METERED_UNITS.get(self.cleaned_data.get("product", ""), "")
        return super().clean()


class MeterInline(PartInline[MeterPrice]):
    model = MeterPrice
    form = MeterForm
    fields = ("product", "unit_price", "included")
