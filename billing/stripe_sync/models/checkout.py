"""Checkout sessions that we opened, each under the caller's idempotency key."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.credits.models import TopUp
from billing.plans.models import PlanPrice
from billing.subscriptions.models import BillingAccount
from tenants.append_only import kept


class CheckoutSession(models.Model):
    """A hosted Checkout page for a plan or for credits. Written before Stripe is asked, so that a retry finds it."""

    class State(models.TextChoices):
        OPENING = "opening", "Being opened"
        OPEN = "open", "Waiting for payment"
        COMPLETE = "complete", "Paid"
        EXPIRED = "expired", "Expired"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, models.PROTECT, related_name="checkout_sessions")
    session_id = models.CharField(max_length=255, blank=True)
    plan_price = models.ForeignKey(PlanPrice, models.PROTECT, null=True, blank=True, related_name="+")
    seats = models.PositiveIntegerField(default=1)
    top_up = models.OneToOneField(TopUp, models.PROTECT, null=True, blank=True, related_name="checkout")
    state = models.CharField(max_length=10, choices=State, default=State.OPENING)
    url = models.TextField(blank=True)
    idempotency_key = models.CharField(max_length=200, blank=True)
    request_digest = models.CharField(max_length=64, help_text="SHA-256 of what the key was first used for.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(plan_price__isnull=False, top_up__isnull=True)
                | Q(plan_price__isnull=True, top_up__isnull=False),
                name="checkoutsession_one_purpose",
            ),
            models.UniqueConstraint(
                fields=["session_id"], condition=~Q(session_id=""), name="checkoutsession_session_once"
            ),
            models.UniqueConstraint(
                fields=["account", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="checkoutsession_key_once",
            ),
        ]
        triggers = kept()

    def __str__(self) -> str:
        return self.session_id or str(self.id)
