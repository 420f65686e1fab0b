"""dj-stripe's copies of Stripe's objects, shown and nothing else (S1).

dj-stripe's own pages are taken away: they would store and show API keys, change objects at Stripe past our services,
and fail at invoices of this API version. What is shown here is read from the copy itself.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.core.money import from_minor_units
from tenants.staff_admin import LargeTableAdmin, badge

_STATE_COLOURS = {
    **dict.fromkeys(("active", "complete", "enabled", "paid", "succeeded", "won"), "success"),
    **dict.fromkeys(("open", "trialing"), "info"),
    **dict.fromkeys(("past_due", "needs_response", "pending", "under_review", "unpaid"), "warning"),
    **dict.fromkeys(("canceled", "deleted", "disabled", "failed", "lost", "uncollectible"), "danger"),
}

for _model in [model for model in admin.site._registry if model._meta.app_label == "djstripe"]:
    admin.site.unregister(_model)


def text_in(data: Mapping[str, Any], name: str) -> str | None:
    """What stands under a name; None for nothing."""
    found = data.get(name)
    return None if found is None else str(found)


def amount_in(data: Mapping[str, Any], name: str) -> str | None:
    """An amount of a copy with its currency: 9.00 USD."""
    units, currency = data.get(name), str(data.get("currency") or "").upper()
    return f"{from_minor_units(units, currency)} {currency}" if units is not None and currency else None


def time_in(data: Mapping[str, Any], name: str) -> datetime | None:
    """A time of a copy, in UTC."""
    seconds = data.get(name)
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


def id_in(data: Mapping[str, Any], name: str) -> str:
    """The id of what stands under a name, as an id or as the object itself; empty for nothing."""
    found = data.get(name) or ""
    return str(found["id"] if isinstance(found, Mapping) else found)


def link_to_copies(model: str, key: str) -> SafeString | None:
    """A link to the copies of a kind that are found by an id of Stripe's."""
    url = reverse(f"admin:djstripe_{model}_changelist")
    return format_html('<a class="text-link" href="{}?q={}">{}</a>', url, key, key) if key else None


class MirroredAdmin(LargeTableAdmin[Any]):
    """A kind of object: its id, its customer, its state, what a subclass adds, and all of it as Stripe gave it."""

    list_display: tuple[str, ...] = ("id", "state", "created", "livemode")
    list_display_links = ("id",)
    list_filter = ("created", "livemode")
    search_fields: ClassVar[tuple[str, ...]] = ("id", "stripe_data__customer")
    search_help_text = "Id at Stripe, of the object or of its customer"
    ordering = ("-created", "-djstripe_id")
    shown: ClassVar[tuple[str, ...]] = ("customer_link",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By Stripe's ids: a copy has none of ours."""
        return admin.ModelAdmin.get_search_results(self, request, queryset, search_term)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return (("id", "created", "livemode"), "state", *self.shown, "dashboard", "everything")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("state", *self.shown, "dashboard", "everything")

    @admin.display(description="Customer")
    def customer_link(self, copy: Any) -> SafeString | None:
        return link_to_copies("customer", id_in(copy.stripe_data, "customer"))

    @badge("State", _STATE_COLOURS)
    def state(self, copy: Any) -> str | None:
        return "deleted" if copy.stripe_data.get("deleted") else text_in(copy.stripe_data, "status")

    @admin.display(description="Amount")
    def amount_text(self, copy: Any) -> str | None:
        return amount_in(copy.stripe_data, "amount")

    @admin.display(description="At Stripe")
    def dashboard(self, copy: Any) -> SafeString | None:
        url = copy.get_stripe_dashboard_url()
        return format_html('<a class="text-link" href="{}">Dashboard</a>', url) if url else None

    @admin.display(description="As Stripe gave it")
    def everything(self, copy: Any) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(copy.stripe_data, indent=2, sort_keys=True, ensure_ascii=False))
