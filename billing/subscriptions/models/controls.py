"""What a customer limits, and allows, of its own accord."""

from django.db import models
from django.db.models import Q

from billing.subscriptions.models.account import BillingAccount, raises_version


class SpendControls(models.Model):
    """An account's own caps, its opt-in to overage, and its alerts (P8, M9). Amounts are in the account's currency.

    An account without a row has the plan's caps, no overage, and alerts.
    """

    account = models.OneToOneField(BillingAccount, models.CASCADE, primary_key=True, related_name="controls")
    overage_enabled = models.BooleanField(
        default=False, help_text="Executions past the limit run, and each is paid for (P8)."
    )
    overage_ceiling = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, help_text="The most that overage may cost in a period."
    )
    daily_cap = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="The most that all runs of a UTC day may cost.",
    )
    user_daily_cap = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="The same for each user; never above the plan's.",
    )
    burn_alerts = models.BooleanField(default=True, help_text="E-mails at 50, 80 and 100 % of a limit.")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(overage_enabled=False) | Q(overage_ceiling__isnull=False),
                name="controls_overage_has_ceiling",
            ),
            models.CheckConstraint(
                condition=Q(overage_ceiling__isnull=True) | Q(overage_ceiling__gte=0), name="controls_ceiling"
            ),
            models.CheckConstraint(
                condition=Q(daily_cap__isnull=True) | Q(daily_cap__gte=0), name="controls_daily_cap"
            ),
            models.CheckConstraint(
                condition=Q(user_daily_cap__isnull=True) | Q(user_daily_cap__gte=0), name="controls_user_daily_cap"
            ),
        ]
        triggers = raises_version("account_id")

    def __str__(self) -> str:
        return f"Controls of {self.account}"
