"""Authorizations: the permission for one run, from its hold to its settlement."""

from decimal import Decimal

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.credits.models import Transfer
from billing.runtime.models.session import Session
from tenants.append_only import kept


class Authorization(models.Model):
    """What was decided for a run, at which rates, and what became of it."""

    class State(models.TextChoices):
        OPEN = "open"
        SETTLED = "settled"
        VOIDED = "voided"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account_id = models.UUIDField()
    tenant_id = models.UUIDField()
    workspace_id = models.UUIDField()
    idempotency_key = models.CharField(max_length=200)
    body_digest = models.BinaryField(max_length=16)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=120)
    credential_source = models.CharField(max_length=10)
    credential_reason = models.CharField(max_length=30, blank=True, help_text="Why the run is on this key (K6).")
    credential_id = models.UUIDField(
        null=True, blank=True, help_text="In the vault; none: the platform's runtime has one."
    )
    credential_number = models.PositiveIntegerField(null=True, blank=True, help_text="The version that was handed out.")
    funding = models.CharField(max_length=10)
    rates = models.JSONField(help_text="The rates that the run was quoted at, a million tokens.")
    currency = models.CharField(max_length=3)
    period_start = models.DateTimeField(
        help_text="Of the billing period that admitted the run: its usage counts there."
    )
    input_tokens = models.BigIntegerField()
    max_output_tokens = models.BigIntegerField()
    quoted = models.DecimalField(
        max_digits=38, decimal_places=9, default=Decimal(0), help_text="The most that the run can cost at our prices."
    )
    budgets = models.JSONField(default=list, help_text="Budget windows of the platform's key, with what each reserved.")
    held = models.DecimalField(max_digits=38, decimal_places=9, default=Decimal(0))
    hold = models.OneToOneField(
        Transfer, models.PROTECT, null=True, blank=True, related_name="authorization", help_text="The pending transfer."
    )
    meters = models.JSONField(default=list, help_text="Counters to settle, with what each has reserved.")
    office = models.CharField(max_length=100, blank=True)
    agent = models.CharField(max_length=100, blank=True)
    session = models.CharField(max_length=100, blank=True)
    end_user = models.CharField(max_length=100, blank=True)
    session_row = models.ForeignKey(
        Session,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="Whose slot it is in.",
    )
    sandbox = models.BooleanField(default=False, help_text="A try in the sandbox: counts against its own allowance.")
    overage = models.DecimalField(
        max_digits=21, decimal_places=9, default=Decimal(0), help_text="What the run costs as one past the limit (P8)."
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    settlement_digest = models.BinaryField(max_length=16, null=True, blank=True)
    cost = models.DecimalField(max_digits=38, decimal_places=9, null=True, blank=True)
    charged = models.DecimalField(max_digits=38, decimal_places=9, null=True, blank=True)
    owed = models.DecimalField(max_digits=38, decimal_places=9, null=True, blank=True)
    balance_after = models.DecimalField(max_digits=38, decimal_places=9, null=True, blank=True)
    event_id = models.UUIDField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["account_id", "idempotency_key"], name="authorization_once"),
            models.CheckConstraint(
                condition=Q(held=0, hold__isnull=True) | Q(held__gt=0, hold__isnull=False), name="authorization_hold"
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True) | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="authorization_closed_at",
            ),
            models.CheckConstraint(
                condition=~Q(state="settled") | Q(cost__isnull=False, charged__isnull=False, event_id__isnull=False),
                name="authorization_settled_with_figures",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="open"), name="authorization_due"),
        ]
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.provider}/{self.model} {self.state}"
