"""The inbox of Stripe's events: stored before they are acknowledged, worked through afterwards (S4)."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7


class InboxEvent(models.Model):
    """An event that Stripe told us of, once whatever number of times it was delivered.

    Only what it is about is kept: working on it reads the object afresh, so that its age and order do not matter.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        IGNORED = "ignored", "Nothing to do"
        FAILED = "failed", "Given up; can be replayed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=100)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=255, blank=True)
    customer_id = models.CharField(max_length=255, blank=True)
    connected_account = models.CharField(max_length=255, blank=True, help_text="Of an event of Connect.")
    livemode = models.BooleanField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    deliveries = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(help_text="When the next try is due.")
    processed_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-received_at", "-id"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="inboxevent_due"),
            models.Index(fields=["customer_id", "-received_at"], name="inboxevent_by_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
