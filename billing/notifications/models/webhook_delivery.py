"""Facts that tenants' programs are told, and each try to tell them: an outbox with its log (N1)."""

import pgtrigger
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.notifications.models.webhook_endpoint import WebhookEndpoint
from tenants.append_only import no_truncate
from tenants.models import Tenant


def _kept_a_while(column: str) -> list[pgtrigger.Trigger]:
    """Refuse TRUNCATE, and DELETE within the thirty days that rows are kept for; `column` says since when."""
    return [
        pgtrigger.Trigger(
            name="kept_30_days",
            when=pgtrigger.Before,
            operation=pgtrigger.Delete,
            func=f"""
                IF OLD.{column} > now() - interval '30 days' THEN
                    RAISE EXCEPTION 'Rows of % are kept for 30 days', TG_TABLE_NAME USING ERRCODE = 'check_violation';
                END IF;
                RETURN OLD;
            """,
        ),
        no_truncate(),
    ]


def _unchanged() -> pgtrigger.Trigger:
    return pgtrigger.Protect(name="unchanged", operation=pgtrigger.Update)


class WebhookEvent(models.Model):
    """A fact, written in its own transaction. Its id is the `webhook-id` header of every try at every endpoint."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="webhook_events")
    type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=100, help_text="What it is about: events of one object come in order.")
    key = models.CharField(max_length=200, unique=True, help_text="A fact is told once.")
    data = models.JSONField()
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "id"], name="webhookevent_in_tenant")]
        indexes = [models.Index(fields=["created_at"], name="webhookevent_age")]
        triggers = [_unchanged(), *_kept_a_while("created_at")]

    def __str__(self) -> str:
        return f"{self.type} of {self.object_id}"


class WebhookDelivery(models.Model):
    """An event for one endpoint. Composite foreign keys keep both inside the tenant."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed: no more tries"
        CANCELLED = "cancelled", "Cancelled: the endpoint was switched off"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+")
    event = models.ForeignKey(WebhookEvent, models.PROTECT, related_name="deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, models.PROTECT, related_name="deliveries")
    object_id = models.CharField(max_length=100, help_text="As the event has it.")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    tries = models.PositiveSmallIntegerField(default=0, help_text="Since it was last asked for.")
    by_hand = models.BooleanField(default=False, help_text="Asked for again, so that its order counts no more.")
    due_at = models.DateTimeField(help_text="When the next try is due.")
    delivered_at = models.DateTimeField(
        null=True, blank=True, help_text="When it last succeeded: kept where it is sent again without success."
    )
    error = models.CharField(max_length=300, blank=True, help_text="Of the last try, in our words.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="webhookdelivery_once"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "delivered", "failed", "cancelled"]), name="webhookdelivery_state"
            ),
            models.CheckConstraint(
                condition=~Q(state="delivered") | Q(delivered_at__isnull=False), name="webhookdelivery_delivered_at"
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="webhookdelivery_log"),
            models.Index(fields=["endpoint", "due_at"], condition=Q(state="pending"), name="webhookdelivery_due"),
            models.Index(
                fields=["endpoint", "object_id", "event"], condition=Q(state="pending"), name="webhookdelivery_order"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="bound", fields=["tenant", "event", "endpoint", "object_id", "created_at"]),
            *_kept_a_while("created_at"),
        ]

    def __str__(self) -> str:
        return f"Delivery about {self.object_id}"


class WebhookAttempt(models.Model):
    """One try of a delivery: what was answered, or why nothing was."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    delivery = models.ForeignKey(WebhookDelivery, models.PROTECT, related_name="attempts")
    at = models.DateTimeField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True, help_text="The beginning of the body.")
    error = models.CharField(max_length=300, blank=True, help_text="Why it counts as failed, in our words.")
    duration_ms = models.PositiveIntegerField()
    manual = models.BooleanField(default=False, help_text="Somebody asked for it.")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["delivery", "-id"], name="webhookattempt_log")]
        triggers = [_unchanged(), *_kept_a_while("at")]

    def __str__(self) -> str:
        return f"{self.delivery_id} at {self.at}"
