"""Where the payment of invoices stands: followed from the payment processor and the ledger, changed by nobody (I2)."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.core.money import spell_amount
from billing.invoices.models import InvoicePayment
from tenants.staff_admin import LargeTableAdmin, badge, link

_COLOURS = {"Open": "warning", "Paid": "success", "Written off": "danger"}


@admin.register(InvoicePayment)
class InvoicePaymentAdmin(LargeTableAdmin[InvoicePayment]):
    """The payment of one invoice. Beside it the document stays as it was issued."""

    list_display = ("document", "belongs_to", "status_badge", "due", "paid", "attempts", "next_attempt_at", "paid_at")
    list_filter = ("status", "paid_at", "updated_at")
    search_fields = ("=invoice__number", "invoice__account__tenant__name", "invoice__account__tenant__slug")
    search_help_text = "Number of an invoice, tenant, or the id of an invoice, account or tenant"
    id_search_fields = ("invoice_id", "invoice__account_id", "invoice__account__tenant_id")
    ordering = ("-invoice_id",)
    fields = (
        ("document", "belongs_to"),
        ("status_badge", "paid_at"),
        ("due", "paid"),
        ("back", "asked_again"),
        ("attempts", "next_attempt_at"),
        "page",
        "updated_at",
    )
    readonly_fields = ("document", "belongs_to", "status_badge", "due", "paid", "back", "asked_again", "page")

    def get_queryset(self, request: HttpRequest) -> QuerySet[InvoicePayment]:
        return super().get_queryset(request).select_related("invoice__account__tenant")

    @admin.display(description="Invoice", ordering="invoice_id")
    def document(self, payment: InvoicePayment) -> SafeString:
        return link("billing_invoices_invoice", payment.invoice_id, payment.invoice.number)

    @admin.display(description="Account")
    def belongs_to(self, payment: InvoicePayment) -> SafeString:
        account = payment.invoice.account
        return link("billing_subscriptions_billingaccount", account.id, account)

    @badge("Status", _COLOURS, ordering="status")
    def status_badge(self, payment: InvoicePayment) -> str:
        return payment.get_status_display()

    @admin.display(description="Due", ordering="invoice__amount_due")
    def due(self, payment: InvoicePayment) -> str:
        return spell_amount(payment.invoice.amount_due, payment.invoice.currency)

    @admin.display(description="Paid", ordering="amount_paid")
    def paid(self, payment: InvoicePayment) -> str:
        return spell_amount(payment.amount_paid, payment.invoice.currency)

    @admin.display(description="Refunded", ordering="refunded")
    def back(self, payment: InvoicePayment) -> str:
        return spell_amount(payment.refunded, payment.invoice.currency)

    @admin.display(description="Asked for again")
    def asked_again(self, payment: InvoicePayment) -> str:
        """What credit notes that were voided at the processor had taken off."""
        return spell_amount(payment.voided_notes, payment.invoice.currency)

    @admin.display(description="Page at the payment processor")
    def page(self, payment: InvoicePayment) -> str:
        url = payment.hosted_url
        return format_html('<a class="text-link" href="{}" rel="noreferrer">{}</a>', url, url) if url else "–"
