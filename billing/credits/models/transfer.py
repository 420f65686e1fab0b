"""Transfers: the immutable lines of the ledger."""

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from billing.credits.models.account import LedgerAccount
from tenants.append_only import append_only


class Transfer(models.Model):
    """An amount moved, or reserved, from the account that it debits to the one that it credits.

    Two-phase: a `pending` transfer holds the amount; exactly one later transfer names it and posts (with the real
    amount) or voids it. Single-phase: `posted` without a pending one.
    """

    class Phase(models.TextChoices):
        POSTED = "posted"
        PENDING = "pending"
        POST_PENDING = "post_pending"
        VOID_PENDING = "void_pending"

    class Reason(models.TextChoices):
        USAGE = "usage"
        REVERSAL = "reversal"
        GRANT = "grant"
        PURCHASE = "purchase"
        PROMOTION = "promotion"
        ADJUSTMENT = "adjustment"
        EXPIRY = "expiry"
        FEE = "fee"
        REFUND = "refund"
        PAYMENT = "payment"
        SALE = "sale"
        PAYOUT = "payout"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    phase = models.CharField(max_length=12, choices=Phase)
    reason = models.CharField(max_length=12, choices=Reason)
    debit_account = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="debits", db_index=False)
    credit_account = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="credits", db_index=False)
    amount = models.DecimalField(max_digits=38, decimal_places=9)
    pending = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="resolution")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="When a pending transfer is due to be voided.")
    idempotency_key = models.CharField(max_length=200, unique=True)
    description = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["debit_account", "-created_at", "-id"], name="transfer_by_debit"),
            models.Index(fields=["credit_account", "-created_at", "-id"], name="transfer_by_credit"),
            # What is not usage is little: what usage came to is the account's total less this.
            models.Index(fields=["debit_account"], condition=~Q(reason="usage"), name="transfer_debits_but_usage"),
            # What usage lacked in credits, for the invoice that asks for it.
            models.Index(
                fields=["debit_account", "created_at"],
                condition=Q(idempotency_key__startswith="owed:"),
                name="transfer_owed_for_credits",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_amount_positive"),
            models.CheckConstraint(condition=~Q(debit_account=F("credit_account")), name="transfer_two_accounts"),
            models.CheckConstraint(
                condition=Q(phase__in=["posted", "pending"], pending__isnull=True)
                | Q(phase__in=["post_pending", "void_pending"], pending__isnull=False),
                name="transfer_phase_names_pending",
            ),
            models.CheckConstraint(
                condition=Q(phase="pending", expires_at__isnull=False)
                | (~Q(phase="pending") & Q(expires_at__isnull=True)),
                name="transfer_only_holds_expire",
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.reason} {self.amount} ({self.phase})"
