"""Changes of plans as facts: written by triggers beside whatever makes them, told by a layer above."""

from django.db import models
from django.db.models import Q

from billing.plans.models import PlanVersion
from billing.subscriptions.models.account import BillingAccount
from tenants.append_only import kept


class SubscriptionChange(models.Model):
    """What has become of an account's plan. The tenant's programs are told by whoever reads the untold ones (N1)."""

    class Change(models.TextChoices):
        STARTED = "started", "A first plan, or a paid one, began"
        CHANGED = "changed", "Another plan, other terms or another number of seats"
        CANCEL_PLANNED = "cancel_planned", "It will end instead of renewing"
        RESUMED = "resumed", "It goes on after all"
        PAST_DUE = "past_due", "A payment is overdue"
        RESTORED = "restored", "The overdue payment arrived"
        DOWNGRADED = "downgraded", "The free plan is in force, for want of payment"
        ENDED = "ended", "The paid plan ended"

    account = models.ForeignKey(BillingAccount, models.PROTECT, related_name="+")
    change = models.CharField(max_length=20, choices=Change)
    plan_version = models.ForeignKey(
        PlanVersion, models.PROTECT, null=True, related_name="+", help_text="In force afterwards; empty: what is found."
    )
    previous_version = models.ForeignKey(PlanVersion, models.PROTECT, null=True, related_name="+")
    seats = models.PositiveIntegerField()
    ends_at = models.DateTimeField(null=True, help_text="When the plan ends, where that is planned.")
    at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], condition=Q(told_at__isnull=True), name="subscriptionchange_untold")]
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.account_id}: {self.change}"
