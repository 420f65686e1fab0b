"""What the platform will spend at a provider on its own keys (K12)."""

from decimal import Decimal

from django.db import models
from django.db.models import Q


class ProviderBudget(models.Model):
    """A cap for a provider, on a UTC day or calendar month, in US dollars at our price list."""

    class Period(models.TextChoices):
        DAY = "day"
        MONTH = "month"

    provider = models.CharField(max_length=40)
    period = models.CharField(max_length=10, choices=Period, default=Period.MONTH)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["provider", "period"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "period"], name="providerbudget_once"),
            models.CheckConstraint(condition=Q(period__in=["day", "month"]), name="providerbudget_period"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="providerbudget_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.amount} a {self.period}"


class BudgetWindow(models.Model):
    """What a budget's day or month has spent and reserved. Locked in id order, after the ledger accounts."""

    budget = models.ForeignKey(ProviderBudget, models.CASCADE, related_name="windows")
    window_start = models.DateTimeField()
    spent = models.DecimalField(max_digits=38, decimal_places=9, default=Decimal(0))
    reserved = models.DecimalField(max_digits=38, decimal_places=9, default=Decimal(0))

    class Meta:
        ordering = ["-window_start"]
        constraints = [
            models.UniqueConstraint(fields=["budget", "window_start"], name="budgetwindow_once"),
            models.CheckConstraint(condition=Q(spent__gte=0, reserved__gte=0), name="budgetwindow_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.budget} from {self.window_start:%Y-%m-%d}"
