"""What the payment processor has agreed with an account: a paid plan, its period, whether it renews."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.plans.models import PlanPrice, PlanVersion
from billing.subscriptions.models.account import BillingAccount
from billing.subscriptions.models.change_triggers import OF_AGREEMENT
from tenants.append_only import kept


class Agreement(models.Model):
    """A subscription at the payment processor, as a fresh read last showed it (S4).

    The account's plan follows the agreement that governs (see services/follow_agreement.py); several may exist where
    two checkouts were paid, and one at most governs.
    """

    class Status(models.TextChoices):
        """The processor's words."""

        INCOMPLETE = "incomplete", "Waiting for its first payment"
        INCOMPLETE_EXPIRED = "incomplete_expired", "Never paid"
        TRIALING = "trialing", "Trial"
        ACTIVE = "active", "Active"
        PAST_DUE = "past_due", "Payment overdue"
        UNPAID = "unpaid", "Unpaid"
        PAUSED = "paused", "Paused"
        CANCELED = "canceled", "Ended"

    # Which of them may give access; one whose payment is overdue does so for a time of grace (S8).
    LIVE = (Status.TRIALING, Status.ACTIVE, Status.PAST_DUE)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, models.PROTECT, related_name="agreements")
    external_id = models.CharField(max_length=255, unique=True)
    status = models.CharField(max_length=20, choices=Status)
    plan_version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="+")
    interval = models.CharField(max_length=10, choices=PlanPrice.Interval)
    variant = models.CharField(max_length=10, choices=PlanPrice.Variant)
    seats = models.PositiveIntegerField(default=1)
    anchor = models.DateTimeField(help_text="Allowances reset on this date of each month (UTC), clamped to its end.")
    started_at = models.DateTimeField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    cancel_at = models.DateTimeField(null=True, blank=True, help_text="When it ends instead of renewing.")
    ended_at = models.DateTimeField(null=True, blank=True)
    past_due_since = models.DateTimeField(null=True, blank=True, help_text="When we first saw a renewal unpaid.")
    next_plan_slug = models.SlugField(
        max_length=63, blank=True, help_text="The free plan that follows; empty for the catalogue's default."
    )
    governs = models.BooleanField(default=False, help_text="Whether the account's plan follows this agreement.")
    synced_at = models.DateTimeField()

    class Meta:
        ordering = ["account", "-started_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(seats__gte=1), name="agreement_seats"),
            models.CheckConstraint(condition=Q(period_end__gt=models.F("period_start")), name="agreement_period"),
            models.CheckConstraint(
                condition=~Q(status="past_due") | Q(past_due_since__isnull=False), name="agreement_past_due_since"
            ),
            models.UniqueConstraint(
                fields=["account"], condition=Q(governs=True), name="agreement_one_governs_an_account"
            ),
        ]
        indexes = [models.Index(fields=["past_due_since"], condition=Q(status="past_due"), name="agreement_past_due")]
        triggers = [*kept(), OF_AGREEMENT]

    def __str__(self) -> str:
        return f"{self.account}: {self.external_id} ({self.status})"
