"""Prices of plan changes that were shown, and what became of them."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.plans.models import PlanPrice
from billing.subscriptions.models import BillingAccount
from tenants.append_only import kept


class ChangeQuote(models.Model):
    """What a change of a subscription was shown to cost; making the change asks Stripe under this row's id (P10).

    So a confirmation that is sent twice, or whose answer got lost, is one change, and nobody can choose the instant
    that their proration is reckoned at.
    """

    class State(models.TextChoices):
        SHOWN = "shown"
        MADE = "made"
        REFUSED = "refused", "Refused by the card"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, models.PROTECT, related_name="change_quotes")
    subscription_id = models.CharField(max_length=255, help_text="At Stripe.")
    plan_price = models.ForeignKey(PlanPrice, models.PROTECT, related_name="+")
    seats = models.PositiveIntegerField()
    net = models.DecimalField(max_digits=19, decimal_places=4, help_text="In the currency of the plan.")
    proration_at = models.DateTimeField(help_text="By Stripe's clock.")
    state = models.CharField(max_length=10, choices=State, default=State.SHOWN)
    created_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(seats__gte=1), name="changequote_seats"),
            models.CheckConstraint(condition=~Q(state="made") | Q(made_at__isnull=False), name="changequote_made_at"),
        ]
        indexes = [models.Index(fields=["account", "-created_at"], name="changequote_of_account")]
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.subscription_id} to {self.plan_price} for {self.net}"
