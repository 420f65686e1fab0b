"""Billing cycles: the stretches of an account's time that are closed one after the other (I1)."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from billing.subscriptions.models import BillingAccount
from tenants.append_only import kept


class BillingCycle(models.Model):
    """From `starts_at` until just before `ends_at`, in UTC. An account has one open cycle; the others tile its past.

    While it is open its end is what the plan says by now, and a change of plan may bring it forward. It is closed once,
    in the transaction that issues its invoice, or none where nothing was charged.
    """

    class State(models.TextChoices):
        OPEN = "open", "Running"
        WAITING = "waiting", "Over, waits for the payment processor's invoice"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, models.PROTECT, related_name="cycles")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    seen_version = models.BigIntegerField(help_text="The account's version that its end was read at.")
    closed_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="Closings that failed one after the other.")
    due_at = models.DateTimeField(help_text="When the next try to close it is due.")
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "starts_at"], name="billingcycle_once"),
            models.UniqueConstraint(fields=["account"], condition=~Q(state="closed"), name="billingcycle_one_open"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="billingcycle_dates"),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) | (~Q(state="closed") & Q(closed_at__isnull=True)),
                name="billingcycle_closed_at",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=~Q(state="closed"), name="billingcycle_due")]
        triggers = [
            *kept(),
            pgtrigger.Protect(
                name="closed_for_ever", operation=pgtrigger.Update, condition=pgtrigger.Q(old__state="closed")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.starts_at:%Y-%m-%d} – {self.ends_at:%Y-%m-%d}"
