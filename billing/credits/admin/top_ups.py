"""Purchases of credits by card, as staff see them (M4)."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from billing.credits.admin.owners import owner_of
from billing.credits.models import TopUp
from tenants.staff_admin import ReadOnlyAdmin, badge, link_to_list, show_amount

_STATE_COLOURS = {"open": "info", "credited": "success", "expired": "default"}


@admin.register(TopUp)
class TopUpAdmin(ReadOnlyAdmin[TopUp]):
    """What was asked, paid and taken back. Refunds are made at the payment processor, and followed here."""

    list_display = ("created_at", "owner", "amount", "fee", "charged", "currency", "state_badge", "back", "credited_at")
    list_select_related = ("account__credits_of__tenant",)
    list_filter = ("state", "currency", "created_at")
    search_fields = ("payment_reference", "account__credits_of__tenant__name", "account__credits_of__tenant__slug")
    search_help_text = "Tenant, payment, or the id of a purchase, ledger or billing account or tenant"
    id_search_fields = ("id", "account_id", "account__credits_of__id", "account__credits_of__tenant_id")
    ordering = ("-created_at", "-id")
    fields = (
        ("owner", "state"),
        ("amount", "fee", "charged", "currency"),
        ("back", "movements"),
        "payment_reference",
        ("created_at", "credited_at"),
        "records",
    )
    readonly_fields = ("owner", "charged", "back", "records")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TopUp]:
        return super().get_queryset(request).select_related("account__credits_of__tenant")

    @badge("State", _STATE_COLOURS, ordering="state")
    def state_badge(self, top_up: TopUp) -> str:
        return top_up.state

    @admin.display(description="Belongs to")
    def owner(self, top_up: TopUp) -> str:
        return owner_of(top_up.account)

    @admin.display(description="Charged")
    def charged(self, top_up: TopUp) -> str:
        return show_amount(top_up.total)

    @admin.display(description="Taken back", ordering="taken_back")
    def back(self, top_up: TopUp) -> str:
        return show_amount(top_up.taken_back)

    @admin.display(description="Records")
    def records(self, top_up: TopUp) -> SafeString:
        return link_to_list("billing_credits_transfer", "Transfers of the account", q=top_up.account_id)
