"""Burn alerts: which share of a limit was passed, and which accounts to look at (M9)."""

from django.db import models
from uuid_utils.compat import uuid7

from tenants.append_only import append_only


class UsageWatch(models.Model):
    """An account whose usage has changed since its limits were last compared. Left by whoever folds its deltas."""

    account_id = models.UUIDField(primary_key=True)
    touched_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.account_id)


class BurnAlert(models.Model):
    """A share of a limit that was passed in a window, once for ever; `told` where an e-mail says so.

    Of several that are passed at once the highest is told. `threshold` is in percent.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account_id = models.UUIDField()
    tenant_id = models.UUIDField()
    feature = models.CharField(max_length=60)
    subject = models.CharField(max_length=100, blank=True, help_text="The user, where the limit is per user.")
    window_start = models.DateTimeField()
    threshold = models.PositiveSmallIntegerField()
    used = models.DecimalField(max_digits=38, decimal_places=9)
    quota = models.DecimalField(max_digits=38, decimal_places=9)
    told = models.BooleanField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "feature", "subject", "window_start", "threshold"], name="burnalert_once"
            ),
            models.CheckConstraint(
                condition=models.Q(threshold__gte=1, threshold__lte=100), name="burnalert_threshold"
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.feature}: {self.threshold} %"


class LowBalance(models.Model):
    """An account that was told that its balance is low; the row goes when the balance has recovered (M9)."""

    account_id = models.UUIDField(primary_key=True)
    told_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.account_id)
