"""Quota counters as staff see them: what is used and reserved of each limit, and in which window."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.plans.features import FEATURES
from billing.subscriptions.account_admin import AccountFactAdmin
from billing.usage.models import Counter
from tenants.staff_admin import NarrowedTableAdmin, show_amount

_OVERAGE = ("overage", "Executions past the limit, in money")


class FeatureFilter(admin.SimpleListFilter):
    """By what is counted, from the known features: asking the table for its distinct ones would read all of it."""

    title = "feature"
    parameter_name = "feature"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        counted = [(code, f.name) for code, f in FEATURES.items() if f.kind in {"counter_period", "counter_day"}]
        return [*counted, *((c, f.name) for c, f in FEATURES.items() if f.kind == "amount_day"), _OVERAGE]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Counter]) -> QuerySet[Counter]:
        return queryset.filter(feature=self.value()) if self.value() else queryset


@admin.register(Counter)
class CounterAdmin(AccountFactAdmin[Counter], NarrowedTableAdmin[Counter]):
    """What counts against a limit. `used` follows from events, `reserved` from authorizations that are open: where one
    is wrong, rebuild the usage of its period."""

    list_display = ("window_start", "account", "what", "subject", "shown_used", "shown_reserved", "last_at")
    list_filter = (FeatureFilter, "window_start")
    ordering = ("-id",)
    fields = (("account", "what"), ("subject", "window_start"), ("shown_used", "shown_reserved"), "last_at")
    readonly_fields = ("account", "what", "shown_used", "shown_reserved")

    @admin.display(description="Feature", ordering="feature")
    def what(self, counter: Counter) -> str:
        known = FEATURES.get(counter.feature)
        return known.name if known is not None else _OVERAGE[1]

    @admin.display(description="Used", ordering="used")
    def shown_used(self, counter: Counter) -> str:
        return _figure(counter, reserved=False)

    @admin.display(description="Reserved")
    def shown_reserved(self, counter: Counter) -> str:
        return _figure(counter, reserved=True)


def _figure(counter: Counter, *, reserved: bool) -> str:
    """A count without decimals, or an amount of money with them."""
    amount = counter.reserved if reserved else counter.used
    known = FEATURES.get(counter.feature)
    return show_amount(amount) if known is None or known.kind == "amount_day" else f"{amount:,.0f}"
