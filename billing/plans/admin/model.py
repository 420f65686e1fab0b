"""Models, and their prices by date (R1)."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from billing.plans.models import Model, ModelPrice
from billing.plans.queries import read_bands
from billing.plans.services.load_price_list import FIRST_PRICE_FROM, STAFF_SOURCE
from tenants.staff_admin import ReadOnlyInline, StaffAdmin, TypedModelForm, badge

_RATES = ("input_per_million", "output_per_million", "cached_input_per_million")
_PROVIDER_TIERS = {"fast": "success", "standard": "info", "heavy": "warning"}


class PriceInline(ReadOnlyInline[ModelPrice, Model]):
    model = ModelPrice
    fields = ("effective_from", *_RATES, "source")
    readonly_fields = fields


@admin.register(Model)
class ModelAdmin(StaffAdmin[Model]):
    """A model keeps its row once it has a price: usage was rated by it. Taking it off the list ends its offer."""

    list_display = ("title", "provider", "name", "tier_badge", "context_window", "is_listed")
    list_filter = ("provider", "tier", "is_listed")
    search_fields = ("provider", "name", "title")
    search_help_text = "Provider, model or id"
    inlines = (PriceInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return () if obj is None else ("provider", "name")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @badge("Tier", _PROVIDER_TIERS, ordering="tier")
    def tier_badge(self, model: Model) -> str:
        return model.tier


class ModelPriceForm(TypedModelForm[ModelPrice]):
    """A price that staff set. Without a date it is in force at once, and a model's first one since 2020."""

    class Meta:
        model = ModelPrice
        fields = ("model", "effective_from", *_RATES, "long_context")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "effective_from" in self.fields:  # a page that only shows has no fields
            self.fields["effective_from"].required = False
            self.fields["effective_from"].help_text = "Empty: at once. In UTC."

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        at = now()
        model, since = cleaned.get("model"), cleaned.get("effective_from")
        if since is None:
            first = model is not None and not model.prices.exists()
            cleaned["effective_from"] = FIRST_PRICE_FROM if first else at
        elif since < at:
            self.add_error("effective_from", "A price does not begin in the past: usage is rated already.")
        return cleaned

    def clean_long_context(self) -> list[Any]:
        bands: list[Any] = self.cleaned_data["long_context"] or []
        try:
            read_bands(bands)
        except ValueError as error:
            raise ValidationError(
                "A list of objects with above_input_tokens, a number, and input_per_million, output_per_million and "
                "cached_input_per_million, decimals in quotes or null."
            ) from error
        return bands


@admin.register(ModelPrice)
class ModelPriceAdmin(StaffAdmin[ModelPrice]):
    """Prices in US dollars for a million tokens. A new price is a new row; none is ever changed or taken away."""

    form = ModelPriceForm
    list_display = ("model", "effective_from", *_RATES, "source")
    list_select_related = ("model",)
    list_filter = ("model__provider", "source", "effective_from")
    search_fields = ("model__provider", "model__name", "model__title")
    search_help_text = "Provider, model or id"
    id_search_fields = ("id", "model_id")
    ordering = ("-effective_from", "model__provider", "model__name")
    autocomplete_fields = ("model",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelPrice]:
        return super().get_queryset(request).select_related("model")

    def get_fields(self, request: HttpRequest, obj: ModelPrice | None = None) -> tuple[str, ...]:
        fields = ("model", "effective_from", *_RATES, "long_context")
        return fields if obj is None else (*fields, "source")

    def has_change_permission(self, request: HttpRequest, obj: ModelPrice | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ModelPrice | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ModelPrice, form: Any, change: Any) -> None:
        obj.source = STAFF_SOURCE
        super().save_model(request, obj, form, change)
