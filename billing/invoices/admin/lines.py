"""What a document charges, on its page."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.core.money import format_amount, spell_amount
from billing.invoices.models import Invoice, InvoiceLine
from tenants.staff_admin import ReadOnlyInline


class InvoiceLineInline(ReadOnlyInline[InvoiceLine, Invoice]):
    """Rated to nine decimals, and rounded once to the currency's minor unit (M11)."""

    model = InvoiceLine
    verbose_name_plural = "lines"
    fields = (
        "place",
        "kind",
        "description",
        "paid_by",
        "period_start",
        "shown_quantity",
        "shown_rated",
        "shown_amount",
    )
    readonly_fields = fields
    ordering = ("place",)

    payers: ClassVar[dict[str, str]] = {
        "credits": "Credits",
        "invoice": "Invoice",
        "included": "Nobody: in the plan",
        "provider": "The tenant, to the provider",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[InvoiceLine]:
        return super().get_queryset(request).select_related("invoice")

    @admin.display(description="Paid by")
    def paid_by(self, line: InvoiceLine) -> str:
        return self.payers.get(line.funding, "–")

    @admin.display(description="Quantity")
    def shown_quantity(self, line: InvoiceLine) -> str:
        return f"{line.quantity.normalize():f} {line.unit}".strip()

    @admin.display(description="Rated")
    def shown_rated(self, line: InvoiceLine) -> str:
        return f"{format_amount(line.rated)} {line.invoice.currency}"

    @admin.display(description="Amount")
    def shown_amount(self, line: InvoiceLine) -> str:
        return spell_amount(line.amount, line.invoice.currency)
