"""The kinds of objects that are copied: what is worth a column of each."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from djstripe import models

from billing.stripe_sync.admin.mirrored import MirroredAdmin, amount_in, id_in, link_to_copies, text_in, time_in
from billing.stripe_sync.models import StripeCustomer
from tenants.staff_admin import link


def _named(copy: Any) -> str:
    return str(copy.stripe_data.get("number") or copy.id)


# dj-stripe's own words for a row write cents as dollars, or ask other tables for each row.
for _model in (models.Charge, models.Dispute, models.Invoice, models.Price, models.Transfer):
    _model.__str__ = _named


@admin.register(models.Account)
class AccountAdmin(MirroredAdmin):
    """Our own account and those of creators."""

    list_display = ("id", "email_text", "payouts", "created")
    search_fields = ("id", "stripe_data__email")
    shown = ("email_text", "payouts")

    @admin.display(description="E-mail")
    def email_text(self, copy: Any) -> str | None:
        return text_in(copy.stripe_data, "email")

    @admin.display(description="Payouts", boolean=True)
    def payouts(self, copy: Any) -> bool:
        return bool(copy.stripe_data.get("payouts_enabled"))


@admin.register(models.Charge, models.PaymentIntent)
class PaymentAdmin(MirroredAdmin):
    """Payments."""

    list_display = ("id", "customer_link", "amount_text", "state", "created", "livemode")
    shown = ("customer_link", "amount_text")


@admin.register(models.Refund, models.Dispute)
class TakenBackAdmin(MirroredAdmin):
    """What was given back, or is asked back."""

    list_display = ("id", "charge_link", "amount_text", "state", "created", "livemode")
    search_fields = ("id", "stripe_data__charge")
    search_help_text = "Id at Stripe, of the object or of its charge"
    shown = ("charge_link", "amount_text")

    @admin.display(description="Charge")
    def charge_link(self, copy: Any) -> SafeString | None:
        return link_to_copies("charge", id_in(copy.stripe_data, "charge"))


@admin.register(models.Customer)
class CustomerAdmin(MirroredAdmin):
    """Customers, each with the billing account that it pays for."""

    list_display = ("id", "name_text", "email_text", "state", "created", "livemode")
    search_fields = ("id", "stripe_data__name", "stripe_data__email")
    search_help_text = "Id at Stripe, name or e-mail"
    shown = ("account", "name_text", "email_text")

    @admin.display(description="Name")
    def name_text(self, copy: Any) -> str | None:
        return text_in(copy.stripe_data, "name")

    @admin.display(description="E-mail")
    def email_text(self, copy: Any) -> str | None:
        return text_in(copy.stripe_data, "email")

    @admin.display(description="Billing account")
    def account(self, copy: Any) -> str | None:
        rows = StripeCustomer.objects.select_related("account__tenant").filter(customer_id=copy.id)
        row = rows.first()
        return link("billing_subscriptions_billingaccount", row.account_id, row.account) if row else None


@admin.register(models.Invoice)
class InvoiceAdmin(MirroredAdmin):
    """Invoices as this API version shapes them: dj-stripe's own page fails at them."""

    list_display = ("id", "number_text", "customer_link", "total", "due", "state", "created", "livemode")
    search_fields = ("id", "stripe_data__number", "stripe_data__customer")
    search_help_text = "Number, or id at Stripe, of the invoice or of its customer"
    shown = ("number_text", "customer_link", "subscription", "total", "paid_text", "due", "next_try", "lines", "pages")

    @admin.display(description="Number")
    def number_text(self, copy: Any) -> str | None:
        return text_in(copy.stripe_data, "number")

    @admin.display(description="Total")
    def total(self, copy: Any) -> str | None:
        return amount_in(copy.stripe_data, "total")

    @admin.display(description="Paid")
    def paid_text(self, copy: Any) -> str | None:
        return amount_in(copy.stripe_data, "amount_paid")

    @admin.display(description="Due")
    def due(self, copy: Any) -> str | None:
        return amount_in(copy.stripe_data, "amount_remaining")

    @admin.display(description="Next try")
    def next_try(self, copy: Any) -> Any:
        return time_in(copy.stripe_data, "next_payment_attempt")

    @admin.display(description="Subscription")
    def subscription(self, copy: Any) -> SafeString | None:
        details = (copy.stripe_data.get("parent") or {}).get("subscription_details") or {}
        return link_to_copies("subscription", id_in(details, "subscription"))

    @admin.display(description="Lines")
    def lines(self, copy: Any) -> SafeString | None:
        rows = (copy.stripe_data.get("lines") or {}).get("data") or []
        return format_html_join(
            "", "<div>{} – {}</div>", ((amount_in(row, "amount"), row.get("description") or "") for row in rows)
        )

    @admin.display(description="Pages")
    def pages(self, copy: Any) -> SafeString | None:
        data = copy.stripe_data
        named = {"Invoice": data.get("hosted_invoice_url"), "PDF": data.get("invoice_pdf")}
        links = [(url, name) for name, url in named.items() if url]
        return format_html_join(" · ", '<a class="text-link" href="{}">{}</a>', links) if links else None


@admin.register(models.PaymentMethod)
class PaymentMethodAdmin(MirroredAdmin):
    """Cards, masked as Stripe gives them (I3)."""

    list_display = ("id", "customer_link", "card", "created", "livemode")
    shown = ("customer_link", "card")

    @admin.display(description="Card")
    def card(self, copy: Any) -> str | None:
        card = copy.stripe_data.get("card")
        return f"{card['brand']} … {card['last4']}, {card['exp_month']:02}/{card['exp_year']}" if card else None


@admin.register(models.Price)
class PriceAdmin(MirroredAdmin):
    """Prices of plans and meters."""

    list_display = ("id", "lookup_key", "amount", "for_sale", "created", "livemode")
    search_fields = ("id", "stripe_data__lookup_key", "stripe_data__product")
    search_help_text = "Id at Stripe, lookup key or product"
    shown = ("lookup_key", "product_link", "amount", "for_sale")

    @admin.display(description="Lookup key")
    def lookup_key(self, copy: Any) -> str | None:
        return text_in(copy.stripe_data, "lookup_key")

    @admin.display(description="Product")
    def product_link(self, copy: Any) -> SafeString | None:
        return link_to_copies("product", id_in(copy.stripe_data, "product"))

    @admin.display(description="Amount")
    def amount(self, copy: Any) -> str | None:
        return amount_in(copy.stripe_data, "unit_amount")

    @admin.display(description="For sale", boolean=True)
    def for_sale(self, copy: Any) -> bool:
        return bool(copy.stripe_data.get("active"))


@admin.register(models.Product)
class ProductAdmin(MirroredAdmin):
    """Plans and metered products."""

    list_display = ("id", "name_text", "for_sale", "created", "livemode")
    search_fields = ("id", "stripe_data__name")
    search_help_text = "Id at Stripe or name"
    shown = ("name_text", "for_sale")

    @admin.display(description="Name")
    def name_text(self, copy: Any) -> str | None:
        return text_in(copy.stripe_data, "name")

    @admin.display(description="For sale", boolean=True)
    def for_sale(self, copy: Any) -> bool:
        return bool(copy.stripe_data.get("active"))


@admin.register(models.Session)
class SessionAdmin(MirroredAdmin):
    """Checkout pages."""

    list_display = ("id", "customer_link", "total", "state", "created", "livemode")
    shown = ("customer_link", "total")

    @admin.display(description="Total")
    def total(self, copy: Any) -> str | None:
        return amount_in(copy.stripe_data, "amount_total")


@admin.register(models.Subscription)
class SubscriptionAdmin(MirroredAdmin):
    """Subscriptions; their periods stand on their items."""

    list_display = ("id", "customer_link", "period", "state", "created", "livemode")
    shown = ("customer_link", "period", "items")

    @admin.display(description="Period")
    def period(self, copy: Any) -> str | None:
        items = (copy.stripe_data.get("items") or {}).get("data") or []
        times = [(time_in(item, "current_period_start"), time_in(item, "current_period_end")) for item in items[:1]]
        return next((f"{start:%Y-%m-%d} to {end:%Y-%m-%d} UTC" for start, end in times if start and end), None)

    @admin.display(description="Items")
    def items(self, copy: Any) -> SafeString:
        items = (copy.stripe_data.get("items") or {}).get("data") or []
        named = (
            (item["price"].get("lookup_key") or item["price"]["id"], item.get("quantity") or "–") for item in items
        )
        return format_html_join("", "<div>{} × {}</div>", named)


@admin.register(models.Transfer)
class TransferAdmin(MirroredAdmin):
    """Money sent to creators."""

    list_display = ("id", "destination", "amount_text", "created", "livemode")
    search_fields = ("id", "stripe_data__destination")
    search_help_text = "Id at Stripe, of the transfer or of where it went"
    shown = ("destination", "amount_text")

    @admin.display(description="Destination")
    def destination(self, copy: Any) -> SafeString | None:
        return link_to_copies("account", id_in(copy.stripe_data, "destination"))


@admin.register(models.WebhookEndpoint)
class WebhookEndpointAdmin(MirroredAdmin):
    """Where events come to. Their secrets are not shown; `connect_stripe` makes and mends endpoints."""

    list_display = ("id", "url", "status", "created", "livemode")
    search_fields = ("id", "url")
    search_help_text = "Id at Stripe or address"
    shown = ("url", "status", "api_version", "events")

    @admin.display(description="Events")
    def events(self, copy: Any) -> SafeString:
        return format_html_join("", "<div>{}</div>", ((name,) for name in copy.enabled_events))
