"""Which Stripe customer pays for which billing account."""

from django.db import models

from billing.subscriptions.models import BillingAccount


class StripeCustomer(models.Model):
    """An account's customer at Stripe. Its row lock is held while Stripe is read and the answer applied.

    So of two readers the later one writes what it read later, whatever order their events came in (S4).
    """

    account = models.OneToOneField(BillingAccount, models.PROTECT, primary_key=True, related_name="stripe_customer")
    customer_id = models.CharField(max_length=255, unique=True)
    created_at = models.DateTimeField()
    synced_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="When we saw that Stripe has it no more.")

    def __str__(self) -> str:
        return self.customer_id
