"""What was reported to Stripe's billing meters: the outbox and the cursor in one (S7)."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.subscriptions.models import BillingAccount
from tenants.append_only import kept


class MeterReport(models.Model):
    """An amount reported for a product and period, in the account's currency.

    The sum of a period's reports is what Stripe knows, so the next one is what rated usage has grown (or shrunk) by
    since; those that repeat what Stripe's meter had lost are no further usage and do not count there. A report is
    written before it is sent, under an identifier that Stripe takes once.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, models.PROTECT, related_name="meter_reports")
    product = models.CharField(max_length=40)
    period_start = models.DateTimeField()
    sequence = models.PositiveIntegerField()
    amount = models.DecimalField(max_digits=21, decimal_places=9)
    repeats = models.BooleanField(
        default=False, help_text="Sent for what Stripe's meter had lost: it is usage that other reports told of."
    )
    identifier = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True, blank=True, help_text="When it was first on its way.")
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "product", "period_start", "sequence"], name="meterreport_sequence"
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="meterreport_amount"),
        ]
        indexes = [models.Index(fields=["created_at"], condition=Q(sent_at__isnull=True), name="meterreport_unsent")]
        triggers = kept()

    def __str__(self) -> str:
        return self.identifier
