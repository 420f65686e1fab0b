"""Meters: what events add up to, by account, period and dimensions.

A transaction that records events leaves deltas; a worker folds them into rollups. A reader adds both, so that its
figures are exact at once and its cost does not grow with the number of events. A delta names the events that it sums,
for the rollups whose dimensions it does not carry.
"""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models


class _Sums(models.Model):
    requests = models.BigIntegerField(default=0)
    quantity = models.DecimalField(max_digits=38, decimal_places=9, default=Decimal(0))
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cached_input_tokens = models.BigIntegerField(default=0)
    cost = models.DecimalField(max_digits=38, decimal_places=9, default=Decimal(0))

    class Meta:
        abstract = True


class _Meter(_Sums):
    """The dimensions that deltas and meters share. Absent dimensions are empty strings: NULLs are distinct in a unique
    index."""

    account_id = models.UUIDField()
    period_start = models.DateTimeField()
    workspace_id = models.UUIDField()
    product = models.CharField(max_length=40)
    unit = models.CharField(max_length=20)
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=120)
    credential_source = models.CharField(max_length=10)

    class Meta:
        abstract = True


PERIOD_DIMENSIONS = (
    "account_id",
    "period_start",
    "workspace_id",
    "product",
    "unit",
    "provider",
    "model",
    "credential_source",
)
DIMENSIONS = ("account_id", "period_start", "day", *PERIOD_DIMENSIONS[2:])
SUMS = ("requests", "quantity", "input_tokens", "output_tokens", "cached_input_tokens", "cost")
# Quantities of different products do not add up; these do.
PLACE_SUMS = ("requests", "input_tokens", "output_tokens", "cached_input_tokens", "cost", "own_key_cost")


class UsageDelta(_Meter):
    """What one transaction added to a meter and no worker has folded yet."""

    day = models.DateField()
    recorded_at = models.DateTimeField()
    event_ids = ArrayField(models.UUIDField(), default=list)

    class Meta:
        indexes = [models.Index(fields=["account_id", "period_start"], name="usagedelta_by_account")]

    def __str__(self) -> str:
        return f"{self.requests} × {self.product} of {self.day}"


class UsageRollup(_Meter):
    """A meter's reading for a day of a period."""

    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=list(DIMENSIONS), name="usagerollup_once")]

    def __str__(self) -> str:
        return f"{self.product} on {self.day}"


class PeriodRollup(_Meter):
    """A meter's reading for a whole period: what the period's totals and its invoice are read from."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=list(PERIOD_DIMENSIONS), name="periodrollup_once")]

    def __str__(self) -> str:
        return f"{self.product} from {self.period_start:%Y-%m-%d}"


class _Attributed(models.Model):
    """What somebody used in a period, all products together; `own_key_cost` is the part of `cost` not billed (U7)."""

    account_id = models.UUIDField()
    period_start = models.DateTimeField()
    workspace_id = models.UUIDField()
    requests = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cached_input_tokens = models.BigIntegerField(default=0)
    cost = models.DecimalField(max_digits=38, decimal_places=9, default=Decimal(0))
    own_key_cost = models.DecimalField(max_digits=38, decimal_places=9, default=Decimal(0))

    class Meta:
        abstract = True


class PlaceRollup(_Attributed):
    """What an agent of an office used in a period; empty names are usage that named none."""

    office = models.CharField(max_length=100)
    agent = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "period_start", "workspace_id", "office", "agent"], name="placerollup_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.office}/{self.agent} from {self.period_start:%Y-%m-%d}"


class SessionRollup(_Attributed):
    """What a session used in a period: a line of the session ledger (U5). Only usage that named a session."""

    session = models.CharField(max_length=100)
    office = models.CharField(max_length=100)
    agent = models.CharField(max_length=100)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "period_start", "workspace_id", "session"], name="sessionrollup_once"
            )
        ]
        indexes = [models.Index(fields=["account_id", "period_start", "-last_at", "-id"], name="sessionrollup_latest")]

    def __str__(self) -> str:
        return f"{self.session} from {self.period_start:%Y-%m-%d}"
