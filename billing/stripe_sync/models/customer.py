"""Which Stripe customer pays for which billing account."""

from django.db import models

from billing.subscriptions.models import BillingAccount


class RefusedDetails(models.TextChoices):
    """What of an account's billing details Stripe did not take."""

    TAX_ID = "tax_id", "The tax id"
    CUSTOMER = "customer", "Name or address"


class StripeCustomer(models.Model):
    """An account's customer at Stripe. Its row lock is held while Stripe is read and the answer applied.

    So of two readers the later one writes what it read later, whatever order their events came in (S4).
    """

    account = models.OneToOneField(BillingAccount, models.PROTECT, primary_key=True, related_name="stripe_customer")
    customer_id = models.CharField(max_length=255, unique=True)
    created_at = models.DateTimeField()
    synced_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="When we saw that Stripe has it no more.")

    details_revision = models.PositiveIntegerField(
        default=0, help_text="Of the billing details: the last one that Stripe took over, or refused."
    )
    details_refused = models.CharField(
        max_length=10, choices=RefusedDetails, blank=True, help_text="What of that revision Stripe did not take."
    )
    details_leased_until = models.DateTimeField(
        null=True, blank=True, help_text="Until when nobody else sends billing details."
    )

    def __str__(self) -> str:
        return self.customer_id
