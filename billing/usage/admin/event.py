"""Usage events as staff see them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from billing.core.ids import encode_id
from billing.plans.catalogue_file import METERED_UNITS
from billing.subscriptions.account_admin import AccountFactAdmin
from billing.usage.admin.rebuilding import RebuildsUsage
from billing.usage.models import UsageEvent
from billing.usage.queries import reversal_of
from tenants.staff_admin import NarrowedTableAdmin, badge, link

_EVENT = "billing_usage_usageevent"
_FUNDING_COLOURS = {"credits": "success", "invoice": "warning", "provider": "info"}


class ProductFilter(admin.SimpleListFilter):
    """By product, from the known ones: asking the table for its distinct products would read all of it."""

    title = "product"
    parameter_name = "product"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(product, product) for product in ("llm", *METERED_UNITS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[UsageEvent]) -> QuerySet[UsageEvent]:
        return queryset.filter(product=self.value()) if self.value() else queryset


class UsageEventAdmin(RebuildsUsage, AccountFactAdmin[UsageEvent], NarrowedTableAdmin[UsageEvent]):
    """The append-only record of what ran, for the layer that knows what documents say of it to register."""

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
    exclude = ("body_digest", "reverses_id")
    readonly_fields = ("account", "correction")
    other_ids = ("reverses_id",)
    actions_detail: tuple[str, ...] = ("rebuild",)

    @admin.display(description="Correction")
    def correction(self, event: UsageEvent) -> str | None:
        if event.reverses_id is not None:
            return format_html("takes {} back", link(_EVENT, event.reverses_id, encode_id("evt", event.reverses_id)))
        reversal = reversal_of(event)
        if reversal is None:
            return None
        return format_html("taken back by {}", link(_EVENT, reversal.id, encode_id("evt", reversal.id)))

    @badge("Funding", _FUNDING_COLOURS, ordering="funding")
    def funding_badge(self, event: UsageEvent) -> str:
        return event.funding
