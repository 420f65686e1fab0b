"""Burn alerts that were given."""

from django.contrib import admin

from billing.plans.features import FEATURES
from billing.subscriptions.account_admin import AccountFactAdmin
from billing.usage.models import BurnAlert
from tenants.staff_admin import show_amount


@admin.register(BurnAlert)
class BurnAlertAdmin(AccountFactAdmin[BurnAlert]):
    """A share of a limit that was passed, once for each window. Of several passed at once the highest was told."""

    list_display = ("created_at", "account", "what", "subject", "percent", "shown_used", "shown_quota", "told")
    list_filter = ("threshold", "told", "created_at")
    fields = (
        ("account", "what"),
        ("subject", "window_start"),
        ("percent", "told"),
        ("shown_used", "shown_quota"),
        "created_at",
    )
    readonly_fields = ("account", "what", "percent", "shown_used", "shown_quota")

    @admin.display(description="Limit", ordering="feature")
    def what(self, alert: BurnAlert) -> str:
        known = FEATURES.get(alert.feature)
        return known.name if known is not None else "Executions past the limit, in money"

    @admin.display(description="Passed", ordering="threshold")
    def percent(self, alert: BurnAlert) -> str:
        return f"{alert.threshold} %"

    @admin.display(description="Used")
    def shown_used(self, alert: BurnAlert) -> str:
        return show_amount(alert.used)

    @admin.display(description="Limit then")
    def shown_quota(self, alert: BurnAlert) -> str:
        return show_amount(alert.quota)
