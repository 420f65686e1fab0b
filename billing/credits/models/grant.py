"""Credit grants: lots of money with a source, a priority and an expiry."""

from datetime import datetime
from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from billing.credits.models.account import LedgerAccount, amount_field
from billing.credits.models.transfer import Transfer
from tenants.append_only import kept


class Grant(models.Model):
    """A lot of credits. Burned down by priority (lowest number first), then earliest expiry, then age.

    `consumed` and `expired` are brought up to date when somebody needs to know (see services/fold_burn_down.py): the
    order of burning only matters when a lot is added, expires, or is looked at.
    """

    class Source(models.TextChoices):
        PURCHASE = "purchase"
        PROMOTION = "promotion"
        REFERRAL = "referral"
        ADJUSTMENT = "adjustment"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="grants")
    transfer = models.OneToOneField(Transfer, models.PROTECT, related_name="grant")
    source = models.CharField(max_length=12, choices=Source)
    priority = models.PositiveSmallIntegerField(default=100, help_text="Lower numbers are spent first.")
    amount = models.DecimalField(max_digits=38, decimal_places=9)
    consumed = amount_field()
    expired = amount_field()
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["priority", F("expires_at").asc(nulls_last=True), "created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, consumed__gte=0, expired__gte=0)
                & Q(amount__gte=F("consumed") + F("expired")),
                name="grant_within_its_amount",
            ),
        ]
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.source} {self.amount}"

    @property
    def remaining(self) -> Decimal:
        """What is left of the lot as of the last time burning was written down."""
        return self.amount - self.consumed - self.expired

    def is_expired(self, at: datetime) -> bool:
        """Whether the lot's time has passed at `at`, whatever is left of it."""
        return self.expires_at is not None and self.expires_at <= at
