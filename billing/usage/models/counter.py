"""Quota counters: what counts against a limit in a window."""

from decimal import Decimal

from django.db import models
from django.db.models import Q


class Counter(models.Model):
    """Used and reserved amounts of a feature in a window (a period or a day), for an account or one of its users.

    Changed only by whoever holds the lock on the account's ledger row.
    """

    account_id = models.UUIDField()
    feature = models.CharField(max_length=60)
    subject = models.CharField(max_length=100, blank=True, help_text="The user, where the limit is per user.")
    window_start = models.DateTimeField()
    used = models.DecimalField(max_digits=38, decimal_places=9, default=Decimal(0))
    reserved = models.DecimalField(max_digits=38, decimal_places=9, default=Decimal(0))
    last_at = models.DateTimeField(null=True, help_text="Of the latest admission: what a throttle measures from.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "feature", "subject", "window_start"], name="usagecounter_once"
            ),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="usagecounter_reserved_not_negative"),
        ]
        indexes = [
            # A day's users, among those of all days.
            models.Index(fields=["account_id", "window_start"], condition=~Q(subject=""), name="usagecounter_of_users"),
        ]

    def __str__(self) -> str:
        return f"{self.feature} from {self.window_start:%Y-%m-%d}"
