"""Differences between what Stripe has and what we have (S5)."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.subscriptions.models import BillingAccount


class DriftFinding(models.Model):
    """One difference, from when it was found until it is repaired."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, models.CASCADE, null=True, blank=True, related_name="drift_findings")
    kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=255)
    field = models.CharField(max_length=60)
    theirs = models.CharField(max_length=300, blank=True, help_text="At Stripe.")
    ours = models.CharField(max_length=300, blank=True)
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When it was last there.")
    repaired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-found_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "object_id", "field"],
                condition=Q(repaired_at__isnull=True),
                name="driftfinding_open_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}: {self.field}"
