"""Which objects at Stripe stand for which parts of the catalogue (S1)."""

from django.db import models
from django.db.models import Q

from billing.plans.models import PlanPrice


class StripePrice(models.Model):
    """The Stripe price of a plan's price. A plan version's price never changes, and neither does this."""

    plan_price = models.OneToOneField(PlanPrice, models.PROTECT, primary_key=True, related_name="stripe_price")
    price_id = models.CharField(max_length=255, unique=True)
    product_id = models.CharField(max_length=255)
    lookup_key = models.CharField(max_length=200, unique=True)
    pushed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.lookup_key


class StripeMeter(models.Model):
    """The billing meter of a metered product, and the price that turns its reading into money (S7).

    Usage is rated here, by the plan in force when it happened; the meter counts the currency's minor units, so that
    Stripe's line is our sum to the cent whatever plans were changed in the period.
    """

    product = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    event_name = models.CharField(max_length=100, unique=True)
    meter_id = models.CharField(max_length=255, unique=True)
    price_id = models.CharField(max_length=255, unique=True)
    is_active = models.BooleanField(default=True)
    pushed_at = models.DateTimeField()

    class Meta:
        ordering = ["product", "currency"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "currency"], condition=Q(is_active=True), name="stripemeter_one_a_product"
            )
        ]

    def __str__(self) -> str:
        return self.event_name
