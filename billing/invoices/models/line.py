"""The lines of issued documents."""

import pgtrigger
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.credits.models.account import amount_field
from billing.invoices.models.invoice import Invoice
from billing.usage.models import UsageEvent
from tenants.append_only import append_only

# A document is inserted after its lines, whose foreign key is checked at the end of the transaction: once a document is
# there, nothing can be added to it.
_BEFORE_ITS_DOCUMENT = """
    IF EXISTS (SELECT FROM billing_invoices_invoice WHERE id = NEW.invoice_id) THEN
        RAISE EXCEPTION 'An issued document takes no more lines.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""


class InvoiceLine(models.Model):
    """One charge. `rated` is exact to nine decimals, `amount` is it in whole minor units, rounded half-up once (M11).

    Of usage: what of a period's product and funding no document before it has listed, so that all lines of a period add
    up to its usage, whenever it was recorded (U6). What the plan includes, or the tenant pays to a provider, costs
    nothing here and is listed with what was used.
    """

    class Kind(models.TextChoices):
        SUBSCRIPTION = "subscription", "Plan"
        PRORATION = "proration", "Change of plan"
        USAGE = "usage", "Usage"
        OVERAGE = "overage", "Executions past the plan's limit"
        ADJUSTMENT = "adjustment", "Usage of an earlier period"
        CORRECTION = "correction", "Usage taken back"
        CREDIT = "credit", "Credit note"
        OTHER = "other", "Other"

    USAGE_KINDS = (Kind.USAGE, Kind.OVERAGE, Kind.ADJUSTMENT, Kind.CORRECTION)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="lines")
    account_id = models.UUIDField()
    place = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    description = models.CharField(max_length=300)
    product = models.CharField(max_length=40, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    funding = models.CharField(max_length=10, choices=UsageEvent.Funding, blank=True)
    period_start = models.DateTimeField(help_text="Of usage: the billing period that it happened in.")
    period_end = models.DateTimeField()
    requests = models.BigIntegerField(default=0)
    quantity = models.DecimalField(max_digits=38, decimal_places=9, default=1)
    rated = amount_field()
    amount = amount_field()
    details = models.JSONField(default=list, help_text="Of model usage: what each model comes to.")
    events = models.JSONField(default=list, help_text="Of usage that was taken back: the events' public ids.")
    external_id = models.CharField(max_length=255, blank=True, help_text="The line at the payment processor.")

    class Meta:
        ordering = ["invoice", "place"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "place"], name="invoiceline_place"),
            models.CheckConstraint(
                condition=~Q(funding__in=["included", "provider"]) | Q(rated=0, amount=0), name="invoiceline_free"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["usage", "overage", "adjustment", "correction"])
                | (~Q(product="") & ~Q(funding="")),
                name="invoiceline_of_usage",
            ),
        ]
        indexes = [
            models.Index(fields=["account_id", "period_start", "product", "funding"], name="invoiceline_of_account")
        ]
        triggers = [
            *append_only(),
            pgtrigger.Trigger(
                name="before_its_document",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_BEFORE_ITS_DOCUMENT,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.description}: {self.amount}"
