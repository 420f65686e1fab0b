"""What was answered to requests that name themselves by an idempotency key."""

from django.db import models
from uuid_utils.compat import uuid7

from billing.subscriptions.models import BillingAccount


class KeptAnswer(models.Model):
    """A request under a caller's key, and what it was answered; no answer while it has not succeeded."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, models.PROTECT, related_name="+")
    operation = models.CharField(max_length=40)
    idempotency_key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=64, help_text="SHA-256 of what the key was first used for.")
    answer = models.TextField(blank=True, help_text="JSON.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "operation", "idempotency_key"], name="keptanswer_key_once")
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.idempotency_key}"
