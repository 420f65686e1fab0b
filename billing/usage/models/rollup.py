"""Meters: what events add up to, by account, period, day and dimension.

A transaction that records events leaves deltas; a worker folds them into rollups. A reader adds both, so that its
figures are exact at once and its cost does not grow with the number of events.
"""

from decimal import Decimal

from django.db import models


class _Meter(models.Model):
    """The dimensions and sums that deltas and rollups share. Absent dimensions are empty strings: NULLs are distinct
    in a unique index."""

    account_id = models.UUIDField()
    period_start = models.DateTimeField()
    day = models.DateField()
    workspace_id = models.UUIDField()
    product = models.CharField(max_length=40)
    unit = models.CharField(max_length=20)
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=120)
    credential_source = models.CharField(max_length=10)
    requests = models.BigIntegerField(default=0)
    quantity = models.DecimalField(max_digits=38, decimal_places=9, default=Decimal(0))
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cached_input_tokens = models.BigIntegerField(default=0)
    cost = models.DecimalField(max_digits=38, decimal_places=9, default=Decimal(0))

    class Meta:
        abstract = True


DIMENSIONS = (
    "account_id",
    "period_start",
    "day",
    "workspace_id",
    "product",
    "unit",
    "provider",
    "model",
    "credential_source",
)
SUMS = ("requests", "quantity", "input_tokens", "output_tokens", "cached_input_tokens", "cost")


class UsageDelta(_Meter):
    """What one transaction added to a meter and no worker has folded yet."""

    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["account_id", "period_start"], name="usagedelta_by_account")]

    def __str__(self) -> str:
        return f"{self.requests} × {self.product} of {self.day}"


class UsageRollup(_Meter):
    """A meter's reading for a day of a period."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=list(DIMENSIONS), name="usagerollup_once")]

    def __str__(self) -> str:
        return f"{self.product} on {self.day}"
