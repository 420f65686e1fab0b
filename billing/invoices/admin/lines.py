"""What a document charges, on its page."""

from django.contrib import admin

from billing.invoices.models import Invoice, InvoiceLine
from tenants.staff_admin import ReadOnlyInline, show_amount


class InvoiceLineInline(ReadOnlyInline[InvoiceLine, Invoice]):
    """Rated to nine decimals, and rounded once to the currency's minor unit (M11)."""

    model = InvoiceLine
    verbose_name_plural = "lines"
    fields = (
        "place",
        "kind",
        "description",
        "funding",
        "period_start",
        "shown_quantity",
        "shown_rated",
        "shown_amount",
    )
    readonly_fields = fields
    ordering = ("place",)

    @admin.display(description="Quantity")
    def shown_quantity(self, line: InvoiceLine) -> str:
        return f"{line.quantity.normalize():f} {line.unit}".strip()

    @admin.display(description="Rated")
    def shown_rated(self, line: InvoiceLine) -> str:
        return f"{line.rated:.9f}"

    @admin.display(description="Amount")
    def shown_amount(self, line: InvoiceLine) -> str:
        return show_amount(line.amount)
