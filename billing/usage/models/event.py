"""Usage events: the append-only record of what ran."""

from decimal import Decimal

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from tenants.append_only import append_only


class UsageEvent(models.Model):
    """One metered fact, rated when it was recorded.

    The table is partitioned by a hash of the account, so that the unique key (account, idempotency key) holds for ever
    and one account's rows lie together. References carry no foreign keys: the row is a statement about the past, and
    a thousand of them are checked once, when the batch's account is resolved.
    """

    class CredentialSource(models.TextChoices):
        PLATFORM = "platform"
        BYOK = "byok"
        NONE = "none", "Not a provider call"

    class Funding(models.TextChoices):
        CREDITS = "credits", "Charged to credits, what they lack to the next invoice"
        INCLUDED = "included", "Covered by the plan"
        INVOICE = "invoice", "Charged on the next invoice"
        PROVIDER = "provider", "Paid by the tenant to the provider"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account_id = models.UUIDField()
    tenant_id = models.UUIDField()
    workspace_id = models.UUIDField()
    idempotency_key = models.CharField(max_length=200)
    body_digest = models.BinaryField(max_length=16)
    product = models.CharField(max_length=40)
    unit = models.CharField(max_length=20)
    provider = models.CharField(max_length=40, blank=True)
    model = models.CharField(max_length=120, blank=True)
    credential_source = models.CharField(max_length=10, choices=CredentialSource)
    credential_reason = models.CharField(max_length=30, blank=True, help_text="Why it ran on this key (K6).")
    credential_id = models.UUIDField(null=True, blank=True, help_text="The tenant's own key in the vault.")
    quantity = models.DecimalField(max_digits=38, decimal_places=9)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cached_input_tokens = models.BigIntegerField(default=0)
    cost = models.DecimalField(max_digits=38, decimal_places=9, default=Decimal(0))
    currency = models.CharField(max_length=3)
    funding = models.CharField(max_length=10, choices=Funding)
    office = models.CharField(max_length=100, blank=True)
    agent = models.CharField(max_length=100, blank=True)
    session = models.CharField(max_length=100, blank=True)
    end_user = models.CharField(max_length=100, blank=True)
    outcome = models.CharField(max_length=40, blank=True)
    sandbox = models.BooleanField(default=False, help_text="A try in the sandbox: counts against its own allowance.")
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    period_start = models.DateTimeField(help_text="Of the billing period that the event happened in.")
    reverses_id = models.UUIDField(null=True, blank=True, help_text="The event that this one takes back.")
    after_document = models.IntegerField(
        default=0, db_default=0, help_text="Position of the account's last document when it was recorded; 0 for none."
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["account_id", "idempotency_key"], name="usageevent_once"),
            models.UniqueConstraint(
                fields=["account_id", "reverses_id"],
                condition=Q(reverses_id__isnull=False),
                name="usageevent_reversed_once",
            ),
            models.CheckConstraint(
                condition=Q(reverses_id__isnull=False)
                | Q(
                    quantity__gte=0, input_tokens__gte=0, output_tokens__gte=0, cached_input_tokens__gte=0, cost__gte=0
                ),
                name="usageevent_only_reversals_negative",
            ),
            models.CheckConstraint(
                condition=Q(reverses_id__isnull=False) | Q(cached_input_tokens__lte=models.F("input_tokens")),
                name="usageevent_cached_within_input",
            ),
        ]
        indexes = [
            models.Index(fields=["account_id", "period_start", "id"], name="usageevent_by_period"),
            models.Index(
                fields=["account_id", "session", "id"], condition=~Q(session=""), name="usageevent_by_session"
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.product} {self.quantity} {self.unit}"
