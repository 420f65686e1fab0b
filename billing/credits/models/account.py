"""Ledger accounts, in TigerBeetle's data model."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7


def amount_field(help_text: str = "") -> "models.DecimalField[Decimal, Decimal]":
    """An amount of the ledger: to the nano-unit, and too wide for any sum to reach its end."""
    return models.DecimalField(max_digits=38, decimal_places=9, default=Decimal(0), help_text=help_text)


class LedgerAccount(models.Model):
    """One side of transfers.

    A customer's account keeps its running totals here, changed only in the statement that writes the transfer. An
    account of the platform keeps none (it would be the hot row of every run): its balance is the sum of its transfers.
    """

    class Kind(models.TextChoices):
        CREDITS = "credits", "Prepaid credits of a customer"
        RECEIVABLE = "receivable", "What a customer owes until the next invoice"
        PAYABLE = "payable", "What the platform owes a creator"
        REVENUE = "revenue", "Usage charged"
        FUNDING = "funding", "Where granted and purchased credits come from"
        BREAKAGE = "breakage", "Credits that expired unused"

    PLATFORM_KINDS = (Kind.REVENUE, Kind.FUNDING, Kind.BREAKAGE)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=12, choices=Kind)
    currency = models.CharField(max_length=3)
    debits_pending = amount_field()
    debits_posted = amount_field()
    credits_posted = amount_field()
    next_expiry_at = models.DateTimeField(
        null=True, blank=True, help_text="When the first grant with money left expires."
    )
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_expiry_at"], condition=Q(next_expiry_at__isnull=False), name="ledgeraccount_expiry_due"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(debits_pending__gte=0, debits_posted__gte=0, credits_posted__gte=0),
                name="ledgeraccount_totals_not_negative",
            ),
            # The rule of prepaid money: what is spent and held never exceeds what came in.
            models.CheckConstraint(
                condition=~Q(kind__in=["credits", "payable"])
                | Q(credits_posted__gte=F("debits_posted") + F("debits_pending")),
                name="ledgeraccount_never_overspent",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["revenue", "funding", "breakage"])
                | Q(debits_pending=0, debits_posted=0, credits_posted=0),
                name="ledgeraccount_platform_keeps_no_total",
            ),
            models.UniqueConstraint(
                fields=["kind", "currency"],
                condition=Q(kind__in=["revenue", "funding", "breakage"]),
                name="ledgeraccount_one_platform_account",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.currency}"

    @property
    def balance(self) -> Decimal:
        """Posted balance, holds not taken off."""
        return self.credits_posted - self.debits_posted

    @property
    def available(self) -> Decimal:
        """What can still be spent: the balance less the holds."""
        return self.balance - self.debits_pending
