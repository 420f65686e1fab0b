"""What was answered to requests that name themselves by an idempotency key."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.subscriptions.models import BillingAccount
from tenants.models import Tenant


class KeptAnswer(models.Model):
    """A request under a caller's key, and what it was answered; no answer while it has not succeeded.

    A claim is of the process that works on it: another one waits, or takes it over when it is old.
    It is a billing account's, or a tenant's where it is about no money.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, models.PROTECT, null=True, related_name="+")
    tenant = models.ForeignKey(Tenant, models.PROTECT, null=True, related_name="+")
    operation = models.CharField(max_length=40)
    idempotency_key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=64, help_text="SHA-256 of what the key was first used for.")
    answer = models.TextField(blank=True, help_text="JSON.")
    claim = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "tenant", "operation", "idempotency_key"],
                nulls_distinct=False,
                name="keptanswer_key_once",
            ),
            models.CheckConstraint(
                condition=Q(account__isnull=True) ^ Q(tenant__isnull=True), name="keptanswer_one_owner"
            ),
            models.CheckConstraint(
                condition=Q(claim__isnull=True, claimed_at__isnull=True)
                | Q(claim__isnull=False, claimed_at__isnull=False, answer=""),
                name="keptanswer_claimed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.idempotency_key}"
