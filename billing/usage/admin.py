"""Usage events as staff see them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.plans.catalogue_file import METERED_UNITS
from billing.subscriptions.account_admin import AccountFactAdmin
from billing.usage.models import UsageEvent
from tenants.staff_admin import NarrowedTableAdmin, badge

_FUNDING_COLOURS = {"credits": "success", "invoice": "warning", "provider": "info"}


class ProductFilter(admin.SimpleListFilter):
    """By product, from the known ones: asking the table for its distinct products would read all of it."""

    title = "product"
    parameter_name = "product"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(product, product) for product in ("llm", *METERED_UNITS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[UsageEvent]) -> QuerySet[UsageEvent]:
        return queryset.filter(product=self.value()) if self.value() else queryset


@admin.register(UsageEvent)
class UsageEventAdmin(AccountFactAdmin[UsageEvent], NarrowedTableAdmin[UsageEvent]):
    """The append-only record of what ran. A mistake is taken back by another event that names it."""

    list_display = (
        "occurred_at",
        "account",
        "product",
        "model",
        "quantity",
        "unit",
        "cost",
        "currency",
        "funding_badge",
        "reverses_id",
    )
    list_filter = (ProductFilter, "credential_source", "funding", "occurred_at")
    exclude = ("body_digest",)
    other_ids = ("reverses_id",)

    @badge("Funding", _FUNDING_COLOURS, ordering="funding")
    def funding_badge(self, event: UsageEvent) -> str:
        return event.funding
