"""What was told to Stripe's meters, and which invoices settled it (S7)."""

from django.contrib import admin
from django.utils.safestring import SafeString

from billing.stripe_sync.models import InvoiceSettlement, MeterReport
from tenants.staff_admin import LargeTableAdmin, ReadOnlyAdmin, badge, link

_STATE_COLOURS = {"sent": "success", "waiting": "info", "refused": "danger"}
_TENANT = ("account__tenant__name", "account__tenant__slug")


def _account(row: MeterReport | InvoiceSettlement) -> SafeString:
    return link("billing_subscriptions_billingaccount", row.account_id, row.account)


@admin.register(MeterReport)
class MeterReportAdmin(LargeTableAdmin[MeterReport]):
    """Each report is written before it is sent; one that is refused keeps the reason and is tried again."""

    list_display = ("created_at", "account_link", "product", "amount", "period_start", "state", "error")
    list_select_related = ("account__tenant",)
    list_filter = (("sent_at", admin.EmptyFieldListFilter), "product", "created_at")
    search_fields = ("identifier", *_TENANT)
    search_help_text = "Tenant, identifier at Stripe, or the id of a report, account or tenant"
    id_search_fields = ("id", "account_id", "account__tenant_id")
    ordering = ("-created_at", "-id")
    fields = (
        ("account_link", "product"),
        ("amount", "period_start", "sequence"),
        "identifier",
        ("created_at", "tried_at", "sent_at"),
        "error",
    )
    readonly_fields = ("account_link",)

    @badge("State", _STATE_COLOURS)
    def state(self, report: MeterReport) -> str:
        if report.sent_at is not None:
            return "sent"
        return "refused" if report.error else "waiting"

    @admin.display(description="Account")
    def account_link(self, report: MeterReport) -> SafeString:
        return _account(report)


@admin.register(InvoiceSettlement)
class InvoiceSettlementAdmin(ReadOnlyAdmin[InvoiceSettlement]):
    """Paid invoices with metered lines, and what they took off the debt."""

    list_display = ("settled_at", "invoice_id", "account_link", "metered", "settled")
    list_select_related = ("account__tenant",)
    list_filter = ("settled_at",)
    search_fields = ("invoice_id", *_TENANT)
    search_help_text = "Tenant, invoice at Stripe, or the id of an account or tenant"
    id_search_fields = ("account_id", "account__tenant_id")
    ordering = ("-settled_at", "invoice_id")
    fields = (("invoice_id", "account_link"), ("metered", "settled"), "settled_at")
    readonly_fields = ("account_link",)

    @admin.display(description="Account")
    def account_link(self, settlement: InvoiceSettlement) -> SafeString:
        return _account(settlement)
