"""What the platform will spend at each provider, and what it has (K12)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, DateTimeField, F, OuterRef, QuerySet, Subquery, Value, When
from django.http import HttpRequest
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget

from billing.core.periods import day_containing
from billing.plans.queries import listed_models
from billing.runtime.models import BudgetWindow, ProviderBudget
from tenants.staff_admin import ReadOnlyInline, StaffAdmin, TypedModelForm, show_amount
from vault.admin.discreet import DiscreetForm
from vault.providers import PROVIDERS


class WindowInline(ReadOnlyInline[BudgetWindow, ProviderBudget]):
    model = BudgetWindow
    verbose_name_plural = "spending"
    fields = ("window_start", "spent", "reserved")
    readonly_fields = fields
    ordering = ("-window_start",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BudgetWindow]:
        return super().get_queryset(request).select_related("budget")


def provider_choices() -> list[tuple[str, str]]:
    """What the platform can have a key of, and what models are priced for; one query."""
    known = {one.id: one.name for one in PROVIDERS.values() if not one.needs_base_url}
    own = {one.id for one in PROVIDERS.values() if one.needs_base_url}
    priced = {model.provider for model in listed_models(now())} - own
    return sorted((name, known.get(name, name)) for name in {*known, *priced})


class BudgetForm(DiscreetForm, TypedModelForm[ProviderBudget]):
    """A provider, chosen, and an amount that is none below zero."""

    provider = forms.ChoiceField(
        choices=provider_choices,
        widget=UnfoldAdminSelectWidget,
        error_messages={"invalid_choice": "Choose a provider of the list."},
    )
    amount = forms.DecimalField(
        min_value=0,
        max_digits=12,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
        error_messages={"min_value": "An amount is at least 0."},
        help_text="In US dollars.",
    )

    class Meta:
        model = ProviderBudget
        fields = ("provider", "period", "amount")


@admin.register(ProviderBudget)
class ProviderBudgetAdmin(StaffAdmin[ProviderBudget]):
    """A run on the platform's key reserves its quote in the day's or month's window (UTC), in US dollars, and is
    refused where that would pass the amount. Runs under way when a budget is made are not counted."""

    list_display = ("provider", "period", "amount", "taken", "share")
    list_filter = ("period",)
    search_fields = ("provider",)
    search_help_text = "Provider"
    id_search_fields = ()
    inlines = (WindowInline,)
    form = BudgetForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderBudget]:
        windows = BudgetWindow.objects.filter(budget_id=OuterRef("id"), window_start=_running(now()))
        taken = windows.values_list(F("spent") + F("reserved"))
        budgets: QuerySet[ProviderBudget] = super().get_queryset(request).annotate(taken=Subquery(taken))
        return budgets

    def get_fields(self, request: HttpRequest, obj: ProviderBudget | None = None) -> Any:
        row = ("provider", "period", "amount")
        return (row,) if obj is None else (row, ("taken", "share"))

    def get_readonly_fields(self, request: HttpRequest, obj: ProviderBudget | None = None) -> Any:
        return () if obj is None else ("provider", "period", "taken", "share")

    def get_inlines(self, request: HttpRequest, obj: ProviderBudget | None = None) -> Any:
        return () if obj is None else self.inlines

    def save_model(self, request: HttpRequest, obj: ProviderBudget, form: Any, change: Any) -> None:
        if not change:
            obj.created_at = now()
        super().save_model(request, obj, form, change)

    @admin.display(description="Spent and reserved now")
    def taken(self, budget: ProviderBudget) -> str:
        return show_amount(_taken(budget))

    @admin.display(description="Used")
    def share(self, budget: ProviderBudget) -> str:
        return f"{_taken(budget) / budget.amount:.0%}" if budget.amount else "–"


def _running(at: datetime) -> Case:
    """The start of the window that an instant falls into, as the deciding statement computes it."""
    day = day_containing(at).start
    return Case(
        When(budget__period=ProviderBudget.Period.DAY, then=Value(day)),
        default=Value(day.replace(day=1)),
        output_field=DateTimeField(),
    )


def _taken(budget: ProviderBudget) -> Decimal:
    return vars(budget)["taken"] or Decimal(0)
