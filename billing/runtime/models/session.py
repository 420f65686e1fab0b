"""Sessions: a slot of the plan's concurrency while they live, and what tells a loop from work (P9, M9)."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from tenants.append_only import kept


class Session(models.Model):
    """An agent's session. It takes a slot from its first sign of life until it ends, or its lease runs out.

    A live session is one that has not ended and whose lease is not over; the clock alone frees a slot. Changed only by
    whoever holds the lock on the account's ledger row.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        PAUSED = "paused"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"
        EXPIRED = "expired", "Lost: no sign of life"
        STOPPED = "stopped", "Stopped"

    LIVE = (State.PENDING, State.RUNNING, State.PAUSED)
    ENDS = (State.COMPLETED, State.FAILED, State.CANCELLED)
    BY_HAND = "hand"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account_id = models.UUIDField()
    tenant_id = models.UUIDField()
    workspace_id = models.UUIDField()
    name = models.CharField(max_length=100, help_text="What runs and usage events call it.")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    office = models.CharField(max_length=100, blank=True)
    agent = models.CharField(max_length=100, blank=True)
    end_user = models.CharField(max_length=100, blank=True)
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    lease_until = models.DateTimeField(help_text="When the slot is free again without another sign of life.")
    ended_at = models.DateTimeField(null=True, blank=True)
    stopped_for = models.CharField(max_length=20, blank=True, help_text="rate, repeats, or hand.")
    told_at = models.DateTimeField(null=True, blank=True, help_text="When the owners of a stopped one were told.")
    runs = models.BigIntegerField(default=0)
    open_runs = models.BigIntegerField(default=0, help_text="Authorized and not closed: they keep the slot.")
    minute_start = models.DateTimeField(null=True, blank=True, help_text="Of the minute in which runs are counted.")
    minute_runs = models.BigIntegerField(default=0)
    shape = models.CharField(max_length=32, blank=True, help_text="Fingerprint of the latest run.")
    repeats = models.BigIntegerField(default=0, help_text="Runs of this shape in a row.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "workspace_id", "name"],
                condition=Q(ended_at__isnull=True),
                name="session_one_lives_by_its_name",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "running", "paused"], ended_at__isnull=True)
                | (~Q(state__in=["pending", "running", "paused"]) & Q(ended_at__isnull=False)),
                name="session_ended_at",
            ),
        ]
        indexes = [
            # Without lease_until, which every run changes: so that a run touches no index.
            models.Index(fields=["account_id"], condition=Q(ended_at__isnull=True), name="session_live"),
            models.Index(
                fields=["account_id", "workspace_id", "name"], condition=Q(state="stopped"), name="session_stopped"
            ),
            models.Index(fields=["account_id", "-id"], name="session_by_account"),
            models.Index(
                fields=["ended_at"], condition=Q(state="stopped", told_at__isnull=True), name="session_untold"
            ),
        ]
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"
