"""Usage by period as staff see it, how far folding is behind, and rebuilding it from events."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import now

from billing.subscriptions.account_admin import AccountFactAdmin
from billing.usage.admin.event import ProductFilter
from billing.usage.admin.rebuilding import RebuildsUsage
from billing.usage.models import PeriodRollup
from billing.usage.queries import lag_of
from tenants.staff_admin import NarrowedTableAdmin, show_amount


@admin.register(PeriodRollup)
class PeriodRollupAdmin(RebuildsUsage, AccountFactAdmin[PeriodRollup], NarrowedTableAdmin[PeriodRollup]):
    """What a period's events add up to, by workspace, product and model. What no worker has folded yet is not in it;
    the customer's pages and invoices count that too."""

    list_display = (
        "period_start",
        "account",
        "product",
        "provider",
        "model",
        "credential_source",
        "requests",
        "quantity",
        "shown_cost",
    )
    list_filter = (ProductFilter, "credential_source", "period_start")
    readonly_fields = ("account", "shown_cost")
    fields = (
        ("account", "workspace_id"),
        ("period_start", "credential_source"),
        ("product", "unit"),
        ("provider", "model"),
        ("requests", "quantity"),
        ("input_tokens", "output_tokens"),
        ("cached_input_tokens", "shown_cost"),
    )
    actions_detail = ("rebuild",)

    def page_after(self, row: PeriodRollup) -> str:
        """The account's list: a rebuild writes its rows anew."""
        return f"{reverse('admin:billing_usage_periodrollup_changelist')}?q={row.account_id}"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        lag = lag_of(None, now())
        behind = f"Changes that are not folded yet: {lag.waiting:,}, the oldest for {lag.seconds:,.0f} seconds."
        messages.info(request, behind if lag.waiting else "All usage is folded.")
        return super().changelist_view(request, extra_context)

    @admin.display(description="Cost", ordering="cost")
    def shown_cost(self, rollup: PeriodRollup) -> str:
        return show_amount(rollup.cost)
