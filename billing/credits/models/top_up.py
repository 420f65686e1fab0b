"""Purchases of credits by card: what was asked, what was paid, what was taken back (M4)."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from billing.credits.models.account import LedgerAccount, amount_field
from tenants.append_only import kept


class TopUp(models.Model):
    """Credits that a customer buys for `amount`, with the platform's `fee` on top; both in the account's currency.

    `taken_back` is the part of the credits that refunds and disputes took out of the ledger again; `movements` numbers
    these corrections, so that each has a key of its own.
    """

    class State(models.TextChoices):
        OPEN = "open", "Waiting for payment"
        CREDITED = "credited", "Paid and credited"
        EXPIRED = "expired", "Not paid in time"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="top_ups")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    fee = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    payment_reference = models.CharField(max_length=255, blank=True, help_text="The payment at the processor.")
    taken_back = amount_field()
    movements = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    credited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0, fee__gte=0), name="topup_amounts"),
            models.CheckConstraint(
                condition=Q(taken_back__gte=0, taken_back__lte=F("amount")), name="topup_taken_back"
            ),
            models.CheckConstraint(
                condition=~Q(state="credited") | Q(credited_at__isnull=False), name="topup_credited_at"
            ),
            models.UniqueConstraint(
                fields=["payment_reference"], condition=~Q(payment_reference=""), name="topup_one_payment"
            ),
        ]
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} ({self.state})"

    @property
    def total(self) -> Decimal:
        """What the card is charged."""
        return self.amount + self.fee
