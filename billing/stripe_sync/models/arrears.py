"""Invoices for what an account owes and no subscription will ask for (S7)."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.subscriptions.models import BillingAccount
from tenants.append_only import kept


class ArrearsInvoice(models.Model):
    """A one-off invoice at Stripe for what is owed, in the account's currency. Written before Stripe is asked.

    Its id is in the keys of all requests for it, so that they may be repeated; an account has one at a time.
    """

    class State(models.TextChoices):
        OPENING = "opening", "Being made"
        OPEN = "open", "Waiting for payment"
        PAID = "paid", "Paid"
        CLOSED = "closed", "Voided or written off"

    UNPAID = (State.OPENING, State.OPEN)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, models.PROTECT, related_name="arrears_invoices")
    amount = models.DecimalField(max_digits=38, decimal_places=9)
    state = models.CharField(max_length=10, choices=State, default=State.OPENING)
    invoice_id = models.CharField(max_length=255, blank=True)
    description = models.CharField(max_length=300, blank=True, help_text="What its line says at Stripe.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Failed tries that were told of.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="arrearsinvoice_amount"),
            models.UniqueConstraint(
                fields=["account"], condition=Q(state__in=["opening", "open"]), name="arrearsinvoice_one_unpaid"
            ),
            models.UniqueConstraint(
                fields=["invoice_id"], condition=~Q(invoice_id=""), name="arrearsinvoice_invoice_once"
            ),
        ]
        triggers = kept()

    def __str__(self) -> str:
        return self.invoice_id or str(self.id)
