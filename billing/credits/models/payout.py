"""Creators, what was sold of theirs, and what they were paid (M10)."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.credits.models.account import LedgerAccount, amount_field
from billing.credits.models.transfer import Transfer
from tenants.append_only import append_only, kept
from tenants.models import Tenant


class Creator(models.Model):
    """A tenant that sells on the marketplace; what it is owed is the balance of its payable ledger account."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.OneToOneField(Tenant, models.PROTECT, related_name="creator")
    payable = models.OneToOneField(LedgerAccount, models.PROTECT, related_name="payable_of")
    external_account = models.CharField(max_length=255, blank=True, help_text="Where the processor pays to.")
    payouts_enabled = models.BooleanField(default=False, help_text="Whether the processor lets it be paid.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["tenant"]
        constraints = [
            models.UniqueConstraint(
                fields=["external_account"], condition=~Q(external_account=""), name="creator_external_account"
            )
        ]

    def __str__(self) -> str:
        return str(self.tenant)


class Sale(models.Model):
    """Something of a creator's that a customer bought with credits: split once, for ever."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="sales")
    buyer = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="purchases")
    item = models.CharField(max_length=200)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    creator_share = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    idempotency_key = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, creator_share__gte=0, creator_share__lte=models.F("amount")),
                name="sale_split",
            )
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.item}: {self.amount} {self.currency}"


class Payout(models.Model):
    """Money on its way to a creator: taken from what is owed first, then sent under the payout's own key."""

    class State(models.TextChoices):
        PENDING = "pending", "Being sent"
        PAID = "paid", "Paid"
        FAILED = "failed", "Failed; owed again"
        REVERSED = "reversed", "Taken back; owed again"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="payouts")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    transfer = models.OneToOneField(Transfer, models.PROTECT, related_name="payout")
    returned = amount_field("What of it is owed again.")
    external_id = models.CharField(max_length=255, blank=True)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payout_amount"),
            models.CheckConstraint(
                condition=Q(returned__gte=0, returned__lte=models.F("amount"))
                & (~Q(state__in=["failed", "reversed"]) | Q(returned=models.F("amount"))),
                name="payout_returned",
            ),
            models.UniqueConstraint(
                fields=["creator"], condition=Q(state="pending"), name="payout_one_on_its_way_to_a_creator"
            ),
            models.UniqueConstraint(fields=["external_id"], condition=~Q(external_id=""), name="payout_external_id"),
        ]
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.creator}: {self.amount} {self.currency} ({self.state})"
