"""Where a tenant wants to be told of facts: addresses of its own programs (N1)."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from tenants.append_only import kept
from tenants.models import Tenant
from vault.models import SealedText


class WebhookEndpoint(models.Model):
    """An address that takes webhooks. It is never deleted: a removed one keeps its log, and loses its secrets."""

    class State(models.TextChoices):
        ENABLED = "enabled", "Enabled"
        DISABLED = "disabled", "Disabled"

    class Reason(models.TextChoices):
        MEMBER = "member", "Switched off by a member"
        FAILING = "failing", "Nothing but failures for days"
        GONE = "gone", "It answered that it is gone for good (410)"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="webhook_endpoints")
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    event_types = ArrayField(
        models.CharField(max_length=60), default=list, blank=True, help_text="Empty: every type of event."
    )
    state = models.CharField(max_length=10, choices=State, default=State.ENABLED)
    disabled_reason = models.CharField(max_length=10, choices=Reason, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="The first failure after the last success; empty after a success."
    )
    secret = models.OneToOneField(SealedText, models.PROTECT, null=True, blank=True, related_name="+")
    previous_secret = models.OneToOneField(SealedText, models.PROTECT, null=True, blank=True, related_name="+")
    previous_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then deliveries are signed with the previous secret as well."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    # Of the workers. A lease that has run out says when the endpoint was last served.
    is_slow = models.BooleanField(default=False, help_text="It failed or was slow last: served in a lane of its own.")
    lease = models.UUIDField(null=True, blank=True, help_text="The worker's claim that is under way.")
    leased_until = models.DateTimeField(null=True, blank=True)
    rests_until = models.DateTimeField(null=True, blank=True, help_text="It asked for a rest (Retry-After).")

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            # Target of a composite foreign key that keeps a delivery in its tenant.
            models.UniqueConstraint(fields=["tenant", "id"], name="webhookendpoint_in_tenant"),
            models.CheckConstraint(
                condition=Q(state="enabled", disabled_at__isnull=True, disabled_reason="")
                | Q(state="disabled", disabled_at__isnull=False, disabled_reason__in=["member", "failing", "gone"]),
                name="webhookendpoint_state",
            ),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True, secret__isnull=False)
                | Q(
                    removed_at__isnull=False,
                    state="disabled",
                    secret__isnull=True,
                    previous_secret__isnull=True,
                ),
                name="webhookendpoint_removed",
            ),
            models.CheckConstraint(
                condition=Q(previous_secret__isnull=True, previous_until__isnull=True)
                | Q(previous_secret__isnull=False, previous_until__isnull=False),
                name="webhookendpoint_previous",
            ),
        ]
        indexes = [
            models.Index(fields=["is_slow", "leased_until"], condition=Q(state="enabled"), name="webhook_to_serve"),
            models.Index(
                fields=["is_slow", "leased_until", "tenant"],
                condition=Q(lease__isnull=False),
                name="webhook_under_way",
            ),
            models.Index(
                fields=["previous_until"], condition=Q(previous_until__isnull=False), name="webhook_overlap_ends"
            ),
        ]
        triggers = [*kept(), pgtrigger.ReadOnly(name="of_tenant", fields=["tenant", "created_at"])]

    def __str__(self) -> str:
        return self.url
