"""Whether an invoice is paid: kept apart from the document, which never changes (I2)."""

from django.db import models
from django.db.models import Q

from billing.credits.models.account import amount_field
from billing.invoices.models.invoice import Invoice
from tenants.append_only import kept


class InvoicePayment(models.Model):
    """The payment status of one invoice, amounts in its currency."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        PAID = "paid", "Paid"
        VOID = "void", "Void"
        UNCOLLECTIBLE = "uncollectible", "Written off"

    invoice = models.OneToOneField(Invoice, models.PROTECT, primary_key=True, related_name="payment")
    status = models.CharField(max_length=14, choices=Status, default=Status.OPEN)
    amount_paid = amount_field()
    refunded = amount_field("What went back of its payment.")
    voided_notes = amount_field("What credit notes took off and the processor asks for again: they were voided there.")
    paid_at = models.DateTimeField(null=True, blank=True)
    hosted_url = models.URLField(max_length=1000, blank=True, help_text="Where the processor lets it be paid.")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="paid") | Q(paid_at__isnull=False), name="invoicepayment_paid_at"
            ),
            models.CheckConstraint(condition=Q(amount_paid__gte=0), name="invoicepayment_amount"),
            models.CheckConstraint(condition=Q(refunded__gte=0, voided_notes__gte=0), name="invoicepayment_given_back"),
            models.CheckConstraint(
                condition=Q(status__in=["open", "paid", "void", "uncollectible"]), name="invoicepayment_status"
            ),
        ]
        indexes = [models.Index(fields=["invoice"], condition=Q(status="open"), name="invoicepayment_open")]
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.invoice}: {self.status}"
