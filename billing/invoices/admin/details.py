"""To whom the next invoice is made out: said by the customer, read by staff."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from billing.invoices.models import BillingDetails
from tenants.staff_admin import ReadOnlyAdmin, link


@admin.register(BillingDetails)
class BillingDetailsAdmin(ReadOnlyAdmin[BillingDetails]):
    """As they are printed on the next document; issued ones keep what was said then."""

    list_display = ("name", "belongs_to", "city", "country", "tax_id", "updated_at")
    list_filter = ("country", "updated_at")
    search_fields = ("name", "tax_id", "account__tenant__name", "account__tenant__slug")
    search_help_text = "Name, tax id, tenant, or the id of an account or tenant"
    id_search_fields = ("account_id", "account__tenant_id")
    ordering = ("-updated_at",)
    fields = (
        ("name", "belongs_to"),
        ("line1", "line2"),
        ("postal_code", "city"),
        ("region", "country"),
        ("tax_id", "reference"),
        "updated_at",
    )
    readonly_fields = ("belongs_to",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillingDetails]:
        return super().get_queryset(request).select_related("account__tenant")

    @admin.display(description="Account", ordering="account_id")
    def belongs_to(self, details: BillingDetails) -> SafeString:
        return link("billing_subscriptions_billingaccount", details.account_id, details.account)
