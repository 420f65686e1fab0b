"""Subscriptions of billing accounts to plan versions, and staff's exceptions."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Func, Q
from uuid_utils.compat import uuid7

from billing.plans.models import PlanPrice, PlanVersion
from billing.subscriptions.models.account import BillingAccount, raises_version
from billing.subscriptions.models.agreement import Agreement
from billing.subscriptions.models.change_triggers import OF_SUBSCRIPTION


class _Tstzrange(Func):
    function = "tstzrange"
    output_field = DateTimeRangeField()


class Subscription(models.Model):
    """An account's plan from `starts_at` until `ends_at`. At any instant an account has at most one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, models.PROTECT, related_name="subscriptions")
    plan_version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="subscriptions")
    interval = models.CharField(max_length=10, choices=PlanPrice.Interval, default=PlanPrice.Interval.MONTHLY)
    variant = models.CharField(max_length=10, choices=PlanPrice.Variant, default=PlanPrice.Variant.STANDARD)
    seats = models.PositiveIntegerField(default=1)
    anchor = models.DateTimeField(help_text="Allowances reset on this date of each month (UTC), clamped to its end.")
    agreement = models.ForeignKey(
        Agreement,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="subscriptions",
        help_text="The paid agreement that this follows; none for a free plan or one that staff gave.",
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["account", "-starts_at"]
        constraints = [
            models.CheckConstraint(condition=Q(seats__gte=1), name="subscription_seats"),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=models.F("starts_at")), name="subscription_dates"
            ),
            ExclusionConstraint(
                name="subscription_one_at_a_time",
                expressions=[
                    ("account", RangeOperators.EQUAL),
                    (_Tstzrange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        triggers = [*raises_version("account_id"), OF_SUBSCRIPTION]

    def __str__(self) -> str:
        return f"{self.account}: {self.plan_version}"


class EntitlementOverride(models.Model):
    """Staff's exception for one account: this value of a feature instead of the plan's."""

    account = models.ForeignKey(BillingAccount, models.CASCADE, related_name="overrides")
    feature = models.CharField(max_length=60)
    value = models.JSONField(null=True, blank=True)
    reason = models.CharField(max_length=200)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "feature"], name="override_once")]
        triggers = raises_version("account_id")

    def __str__(self) -> str:
        return f"{self.account}: {self.feature} = {self.value}"
